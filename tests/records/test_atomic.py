"""Files that are whole or not believed: single flipped bits, kills between two writes, and who may write where."""

import json
import os
import random
import re
from pathlib import Path

import pandas as pd
import pytest

from experiments.batch_norm import parts
from seven_terms.planning import make_plan
from seven_terms.records import atomic
from seven_terms.records.folder import Folder, folder_of
from seven_terms.records.plans import plan_text, read_plan, read_stack
from seven_terms.records.tables import EXPERIMENTS, METRICS, read_csv, read_metrics, write_csv, write_metrics
from seven_terms.running.at_work import hold, remove_damaged, will_work

FLIPS = 150  # of each kind of file


def metrics_file(path: Path) -> Path:
    rows = [("a", step, "test_loss", -1, 0.5 / (step + 1)) for step in range(200)]
    write_metrics(pd.DataFrame(rows, columns=list(METRICS)), path, stack={"runs": {"a": {}}, "stack": path.stem})
    return path


def plan_file(path: Path) -> Path:
    atomic.write(path, plan_text(make_plan(parts.experiment.at_scale("smoke"), scale="smoke")), beside=False)
    return path


def table_file(path: Path) -> Path:
    rows = [(f"batch_norm/e{number}", "smoke laptop", True) for number in range(9)]
    write_csv(pd.DataFrame(rows, columns=list(EXPERIMENTS)), path, kind="experiments")
    return path


KINDS = {
    "metrics": (metrics_file, read_metrics, "m.parquet"),
    "plan": (plan_file, read_plan, "plan.json"),
    "table": (table_file, lambda path: read_csv(path, kind="experiments"), "t.csv"),
}


def flipped(data: bytes, bit: int) -> bytes:
    place, mask = bit // 8, 1 << bit % 8
    return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]


@pytest.mark.parametrize("kind", KINDS)
def test_no_flipped_bit_passes_silently(kind, tmp_path):
    make, read, name = KINDS[kind]
    path = make(tmp_path / name)
    whole, draw = path.read_bytes(), random.Random(0)
    read(path)
    for bit in draw.sample(range(8 * len(whole)), min(FLIPS, 8 * len(whole))):
        path.write_bytes(flipped(whole, bit))
        assert not atomic.is_whole(path)
        with pytest.raises(ValueError, match="its SHA-256 must be the one "):
            read(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("harm", ["empty", "cut", "zeros", "line end"])
def test_a_torn_file_is_named_removed_and_nothing_else_is(kind, harm, tmp_path, capsys):
    make, read, name = KINDS[kind]
    path, other = make(tmp_path / name), make(tmp_path / f"other{name}")
    data = path.read_bytes()
    torn = {
        "empty": b"",
        "cut": data[: len(data) // 2],
        "zeros": bytes(len(data)),
        "line end": data[: data.rfind(b"\n", 0, -1) + 1],
    }
    path.write_bytes(torn[harm])
    with pytest.raises(ValueError, match=name):
        read(path)
    assert remove_damaged([path, other, tmp_path / "not there"]) == [path]
    assert not path.exists()
    said = capsys.readouterr().err
    assert re.fullmatch(
        rf"seven-terms: {path} (is damaged or was changed|carries no checksum); it is made again.*\n", said
    )
    read(other)


def test_metrics_of_an_older_version_are_kept_beside_and_said_to_be(tmp_path, capsys):
    path = metrics_file(tmp_path / "m.parquet")
    written = path.read_bytes().replace(atomic.MARK, b"x" * len(atomic.MARK))
    path.write_bytes(written)
    assert remove_damaged([path]) == [path]
    assert (tmp_path / ".m.parquet.kept").read_bytes() == written
    said = capsys.readouterr().err
    assert said == f"seven-terms: {path} carries no checksum; it is made again, and kept as .m.parquet.kept.\n"


def test_whole_metrics_of_another_stack_are_kept_beside_and_made_again(tmp_path, capsys):
    right, wrong = tmp_path / "0123456789.parquet", tmp_path / "abcdefabcd.parquet"
    for path in (right, wrong):
        rows = [("r", 1, "loss", -1, 0.5)]
        write_metrics(pd.DataFrame(rows, columns=list(METRICS)), path, stack={"stack": right.stem, "runs": {}})
    assert remove_damaged([right, wrong]) == [wrong]
    assert right.is_file()
    assert (tmp_path / f".{wrong.name}.kept").is_file()
    assert "holds the metrics of another stack; it is made again" in capsys.readouterr().err


def test_a_plan_whose_experiment_would_leave_the_results_is_refused(tmp_path):
    path = plan_file(tmp_path / "plan.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    data["experiment"]["name"] = "../../.."
    data["sha256"] = atomic.UNSTAMPED
    path.write_bytes(atomic.stamped(json.dumps(data).encode()))
    for read in (read_plan, lambda path: read_stack(path, next(iter(data["stacks"])))):
        with pytest.raises(ValueError, match=r"Experiment: name must be .*'\.\./\.\./\.\.'"):
            read(path)


@pytest.mark.parametrize("stack", ["../../x", "0/1", "é", ""])
def test_a_plan_whose_stack_is_no_id_is_refused(stack, tmp_path):
    path = plan_file(tmp_path / "plan.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    data["stacks"] = {stack: next(iter(data["stacks"].values()))}
    data["sha256"] = atomic.UNSTAMPED
    path.write_bytes(atomic.stamped(json.dumps(data).encode()))
    for read in (read_plan, lambda path: read_stack(path, stack)):
        with pytest.raises(ValueError, match="must match its runs"):
            read(path)


def test_a_stack_of_a_plan_is_read_alone_and_another_is_refused(tmp_path):
    path = plan_file(tmp_path / "plan.json")
    plan = read_plan(path)
    for stack_id, stack in plan.stacks.items():
        assert read_stack(path, stack_id) == ("smoke", stack)
    with pytest.raises(ValueError, match=r"it must hold stack '0000000000', got .*; make the plan again with"):
        read_stack(path, "0000000000")


def test_metrics_that_measure_twice_are_refused(tmp_path):
    rows = [("a", 1, "test_loss", -1, 0.5), ("a", 1, "test_loss", -1, 0.5)]
    write_metrics(pd.DataFrame(rows, columns=list(METRICS)), tmp_path / "m.parquet", stack={"runs": {}})
    with pytest.raises(ValueError, match=r"run, step, metric and index must be unique, got .1 repeated rows"):
        read_metrics(tmp_path / "m.parquet")


def test_a_kill_between_checksum_and_file_leaves_nothing_that_is_believed(tmp_path, monkeypatch):
    path = table_file(tmp_path / "t.csv")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    before, replace = path.read_bytes(), os.replace
    monkeypatch.setattr(
        os, "replace", lambda source, target: killed() if str(target) == str(path) else replace(source, target)
    )
    with pytest.raises(KeyboardInterrupt):
        atomic.write(path, "other\n")
    assert path.read_bytes() == before
    assert not atomic.is_whole(path)
    assert [one.name for one in tmp_path.iterdir() if one.name.endswith(atomic.PART)] == []


@pytest.mark.skipif(os.name != "posix", reason="umask is POSIX's")
@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_rights_are_those_of_the_callers_umask(umask, mode, tmp_path):
    before = os.umask(umask)
    try:
        path = table_file(tmp_path / "t.csv")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode


def test_published_files_are_held_to_their_one_list(tmp_path):
    path = table_file(tmp_path / "laptop" / "claims" / "t.csv")
    atomic.write_sums(tmp_path)
    assert [one.name for one in path.parent.iterdir()] == ["t.csv"]
    read_csv(path, kind="experiments")
    path.write_bytes(path.read_bytes().replace(b"laptop", b"paper", 1))
    with pytest.raises(ValueError, match="got 'another than in "):
        read_csv(path, kind="experiments")


def test_a_selection_has_a_folder_of_its_own_and_shares_metrics():
    whole = folder_of("smoke", base_seed=7)
    chosen = whole.selected("lr_decay  batch_norm/parts")
    assert str(whole.path) == "results/smoke-seed7"
    assert str(chosen.path) == "results/smoke-seed7/selections/batch_norm.parts+lr_decay"
    assert chosen == whole.selected("batch_norm/parts lr_decay")
    assert chosen.metrics("batch_norm/parts", "ab") == whole.metrics("batch_norm/parts", "ab")
    assert whole.selected(" ") == whole
    long = Folder(Path("r")).selected(" ".join(f"term/name_{number}" for number in range(40))).path.name
    assert len(long) <= 60


def test_a_second_call_is_refused_in_a_sentence_and_changes_nothing(tmp_path):
    first = hold(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(
        ValueError, match=rf"one call at a time may work there, got 'another one, process {os.getpid()}'"
    ):
        hold(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
    assert first
    first.close()
    again = hold(tmp_path)
    assert again
    again.close()


@pytest.mark.parametrize(
    ("words", "works"), [("--cores 2", True), ("-n", False), ("--lint", False), ("--report x.zip", False)]
)
def test_what_runs_no_job_takes_no_folder(words, works):
    assert will_work(words.split()) == works
