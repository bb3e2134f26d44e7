"""Downloads against a server on the loopback interface: good, cut off, stalled, wrong, absent; and damaged local files."""

import errno
import hashlib
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from seven_terms.tasks import downloads, storage
from seven_terms.tasks.downloads import fetch
from seven_terms.tasks.files import CIFAR10_ARCHIVE, CIFAR10_BATCHES, MNIST, MUSIC, DataFile

CONTENT = bytes(range(256)) * 1000
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
SHORT = 0.3  # seconds without a byte


class Handler(BaseHTTPRequestHandler):
    """Serves the same content under paths that say how: /good, /truncated, /stalled, /wrong, ..."""

    requests: list[tuple[str, str | None]]
    failures_left: int

    def do_GET(self):
        kind, asked = self.path.split("/")[1], self.headers.get("Range")
        self.requests.append((kind, asked))
        if kind == "absent":
            self.send_error(404)
            return
        content = b"something else entirely" if kind == "wrong" else CONTENT
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and kind != "norange" else 0
        if start > len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self._send(kind, content[start:])

    def _send(self, kind, rest):
        if kind == "good" or kind == "wrong" or type(self).failures_left == 0:
            self.wfile.write(rest)
            return
        type(self).failures_left -= 1
        self.wfile.write(rest[: len(rest) // 2])
        self.wfile.flush()
        if kind == "stalled":
            time.sleep(3 * SHORT)
        self.close_connection = True

    def log_message(self, format, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    handler = type("OwnHandler", (Handler,), {"requests": [], "failures_left": 1})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def published(server, *kinds, checksum=CHECKSUM):
    urls = tuple(f"http://127.0.0.1:{server.server_port}/{kind}/some.bin" for kind in kinds)
    return DataFile(path="folder/some.bin", checksum=checksum, urls=urls, page="https://example.org/by-hand")


def asked(server):
    return server.RequestHandlerClass.requests


def leftovers():
    return sorted(path.name for path in storage.data_directory().rglob("*") if path.is_file())


def test_without_locks_a_file_is_still_written_whole(tmp_path, monkeypatch):
    """Some network file systems have none: two processes may then do the same work."""

    def refuse(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(storage.fcntl, "flock", refuse)
    with storage.locked(tmp_path / "new" / "file"):
        (tmp_path / "new" / "file").write_bytes(CONTENT)
    assert (tmp_path / "new" / "file").read_bytes() == CONTENT


def test_a_file_is_downloaded_once_and_kept(server, capsys):
    file = published(server, "good")
    path = fetch(file)
    assert path == storage.data_directory() / "folder" / "some.bin"
    assert path.read_bytes() == CONTENT
    assert fetch(file) == path
    assert asked(server) == [("good", None)]
    assert leftovers() == [".some.bin.lock", "some.bin"]
    assert "downloading some.bin from http://127.0.0.1" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["truncated", "stalled"])
def test_an_interrupted_download_goes_on_from_where_it_stopped(server, kind):
    assert fetch(published(server, kind), timeout_seconds=SHORT).read_bytes() == CONTENT
    assert asked(server) == [(kind, None), (kind, f"bytes={len(CONTENT) // 2}-")]


def test_a_download_goes_on_in_a_later_call(server):
    server.RequestHandlerClass.failures_left = downloads.ATTEMPTS_PER_MIRROR
    file = published(server, "truncated")
    with pytest.raises(ValueError, match=r"the connection closed after 224000 of 256000 bytes"):
        fetch(file)
    assert leftovers() == [".some.bin.lock", "some.bin.part"]
    assert fetch(file).read_bytes() == CONTENT
    assert asked(server)[-1] == ("truncated", "bytes=224000-")


def test_a_server_without_ranges_sends_the_whole_again(server):
    assert fetch(published(server, "norange")).read_bytes() == CONTENT
    assert len(asked(server)) == 2


def test_a_partial_file_of_something_else_is_thrown_away(server):
    part = storage.data_directory() / "folder" / "some.bin.part"
    part.parent.mkdir(parents=True)
    for content in (b"not the beginning", CONTENT * 2):
        part.write_bytes(content)
        path = fetch(published(server, "good"))
        assert path.read_bytes() == CONTENT
        path.unlink()


def test_the_next_mirror_is_asked_when_one_fails(server):
    server.RequestHandlerClass.failures_left = 0
    assert fetch(published(server, "absent", "wrong", "good")).read_bytes() == CONTENT
    assert [kind for kind, _ in asked(server)] == ["absent", "wrong", "good"]


def test_a_wrong_file_is_refused_in_one_sentence_with_both_checksums(server):
    file = published(server, "absent", "wrong")
    with pytest.raises(ValueError) as raised:
        fetch(file)
    sentence = str(raised.value)
    wrong = hashlib.sha256(b"something else entirely").hexdigest()
    assert "\n" not in sentence
    assert sentence.startswith("data file 'some.bin': it must be in ")
    for part in (
        CHECKSUM,
        f"checksum sha256:{wrong}",
        "answered 404",
        "https://example.org/by-hand",
        "SEVEN_TERMS_DATA",
    ):
        assert part in sentence
    assert leftovers() == [".some.bin.lock"]


def test_an_unreachable_server_is_named(server):
    gone = DataFile(path="some.bin", checksum=CHECKSUM, urls=("http://127.0.0.1:9/some.bin",), page="there")
    with pytest.raises(
        ValueError, match=r"'some\.bin'.*127\.0\.0\.1:9/some\.bin failed with .*refused.*by hand from there"
    ):
        fetch(gone, timeout_seconds=SHORT)


def test_a_damaged_local_file_is_named_with_both_checksums_and_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("SEVEN_TERMS_DATA", str(tmp_path))
    (tmp_path / "some.bin").write_bytes(CONTENT[:-1])
    file = DataFile(path="folder/some.bin", checksum=CHECKSUM, urls=("http://127.0.0.1:9/",), page="there")
    found = hashlib.sha256(CONTENT[:-1]).hexdigest()
    with pytest.raises(
        ValueError, match=rf"some\.bin': its checksum must be {CHECKSUM}, got 'sha256:{found}'; delete it"
    ):
        fetch(file)
    assert (tmp_path / "some.bin").read_bytes() == CONTENT[:-1]


def test_a_file_under_another_s_name_is_recognized(tmp_path, monkeypatch):
    renamed = tmp_path / "train-labels-idx1-ubyte.gz"
    renamed.write_bytes(CONTENT)
    monkeypatch.setenv("SEVEN_TERMS_DATA", str(tmp_path))
    known = DataFile(path="mnist/t10k-labels-idx1-ubyte.gz", checksum=CHECKSUM, urls=(), page="there")
    monkeypatch.setitem(MNIST, "test_labels", known)
    with pytest.raises(ValueError, match=r"\(that is 't10k-labels-idx1-ubyte\.gz' under another name\)"):
        fetch(MNIST["train_labels"])


def test_a_file_lies_in_its_folder_or_directly_in_the_data_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("SEVEN_TERMS_DATA", str(tmp_path))
    file = DataFile(path="folder/some.bin", checksum=CHECKSUM, urls=(), page="there")
    (tmp_path / "some.bin").write_bytes(CONTENT)
    assert fetch(file) == tmp_path / "some.bin"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "some.bin").write_bytes(CONTENT)
    assert fetch(file) == tmp_path / "folder" / "some.bin"


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("SEVEN_TERMS_DATA", str(tmp_path / "file"))
    file = DataFile(path="some.bin", checksum=CHECKSUM, urls=(), page="there")
    with pytest.raises(ValueError, match=r"'some\.bin' must be written there, got .*; set SEVEN_TERMS_DATA"):
        fetch(file)


def test_jobs_that_ask_together_download_once(server):
    file = published(server, "stalled")
    with ThreadPoolExecutor(3) as jobs:  # the lock belongs to an open file: threads meet it as processes do
        paths = list(jobs.map(lambda _: fetch(file, timeout_seconds=SHORT), range(3)))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert len(asked(server)) == 2  # the first answer is cut off and continued, by one of the three


def test_the_data_directory_is_the_variable_s_or_the_platform_s(tmp_path, monkeypatch):
    if sys.platform == "linux":
        assert storage.data_directory() == tmp_path / "cache" / "seven-terms" / "data"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tmp_path in storage.data_directory().parents
    assert storage.data_directory().parts[-2:] == ("seven-terms", "data")
    monkeypatch.setenv("SEVEN_TERMS_DATA", str(tmp_path / "elsewhere"))
    assert storage.data_directory() == tmp_path / "elsewhere"


def test_every_published_file_has_a_checksum_and_an_address():
    for file in (*MNIST.values(), *MUSIC.values(), CIFAR10_ARCHIVE):
        algorithm, _, digits = file.checksum.partition(":")
        assert len(digits) == {"sha256": 64, "md5": 32}[algorithm]
        assert file.urls
        assert all(url.endswith(file.name) for url in file.urls)
    assert len({checksum for checksum in CIFAR10_BATCHES.values()}) == 6


def test_no_task_reads_a_pickle():
    folder = Path(downloads.__file__).parent
    texts = {
        path.name: path.read_text(encoding="utf-8").replace("allow_pickle=False", "") for path in folder.glob("*.py")
    }
    assert not [name for name, text in texts.items() if "pickle" in text]
