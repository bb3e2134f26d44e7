"""Devices are handed out by locks: real processes, pretend devices, no GPU."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seven_terms.running import devices
from seven_terms.running.devices import device_names, held_devices

# Says what it holds, starts a program that outlives it, and keeps the device until its standard input ends.
JOB = """
import os, subprocess, sys
from seven_terms.running.devices import held_devices
with held_devices(int(sys.argv[1]), accelerator=sys.argv[2]) as held:
    child = subprocess.Popen(["sleep", "60"], **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL))
    print(child.pid, ",".join(held) or "none", os.environ.get("CUDA_VISIBLE_DEVICES", "unset"), flush=True)
    sys.stdin.read()
"""
# Asks the warm server for a fork that does the same.
CLIENT = """
import sys
from seven_terms.running import warm
warm._socket_path = lambda: sys.argv[1]
sys.exit(warm.run_warm(["hold"]))
"""
SERVER = """
import os, sys, time
from pathlib import Path
from seven_terms.running import serving
from seven_terms.running.devices import held_devices

def hold(_):
    with held_devices(1, accelerator="gpu") as held:
        print(0, *held, os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
        time.sleep(60)

serving.serve(Path(sys.argv[1]), hold)
"""
HANGS = 600.0  # seconds after which a test fails; none waits for the clock otherwise


class Job:
    """A process that holds devices, until it is told to end or is killed."""

    def __init__(self, number: int = 1, *, accelerator: str = "gpu", server: Path | None = None) -> None:
        command = [sys.executable, "-c", JOB, str(number), accelerator]
        if server:
            command = [sys.executable, "-c", CLIENT, str(server)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self.child = 0
        self.limit = threading.Timer(HANGS, self.process.kill)  # a job that waits for ever fails its test
        self.limit.start()

    def holds(self) -> str:
        """Return the devices held, once there are any."""
        assert self.process.stdout
        child, held, visible = self.process.stdout.readline().split()
        assert visible in (held, "unset" if held == "none" else held)
        self.child = int(child)
        return held

    def waiting_line(self) -> str:
        assert self.process.stderr
        return self.process.stderr.readline()

    def end(self) -> tuple[str, str]:
        """Let the job end and return what else it wrote."""
        return self.process.communicate("", timeout=HANGS)

    def kill(self) -> None:
        """Kill the job with SIGKILL; the program that it started lives on."""
        self.process.kill()
        self.process.wait()
        os.kill(self.child, 0)

    def clean_up(self) -> None:
        self.limit.cancel()
        self.process.kill()
        self.process.communicate()
        if self.child:
            os.kill(self.child, signal.SIGKILL)


@pytest.fixture(autouse=True)
def _own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the locks of a test apart from everybody's, and start without any of the settings."""
    for name in (devices.DEVICES, devices.SLOTS, devices.VISIBLE, "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)


@pytest.fixture
def start() -> Iterator[Callable[..., Job]]:
    jobs: list[Job] = []

    def begin(*arguments: int, **options: Any) -> Job:
        jobs.append(Job(*arguments, **options))
        return jobs[-1]

    yield begin
    for job in jobs:
        job.clean_up()


def test_a_file_system_without_locks_is_named_and_told_what_to_do(monkeypatch):
    def refuse(file, how):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setenv("SEVEN_TERMS_DEVICES", "a,b")
    told = r"on a file system with locks.*got 'Function not implemented'; let TMPDIR name"
    with pytest.raises(ValueError, match=told), held_devices(1, accelerator="gpu"):
        pass


def test_two_jobs_get_different_devices_and_a_killed_ones_is_free_at_once(start, monkeypatch):
    monkeypatch.setenv(devices.DEVICES, "one,two")
    first, second = start(), start()
    held = first.holds(), second.holds()
    assert sorted(held) == ["one", "two"]
    third = start()
    assert third.waiting_line() == "seven-terms: waiting for 1 of 2 devices (1 at a time on each).\n"
    second.kill()
    assert third.holds() == held[1]
    assert first.process.poll() is None


def test_the_lock_is_that_of_the_warm_servers_fork_and_of_nobody_else(start, monkeypatch, tmp_path):
    monkeypatch.setenv(devices.DEVICES, "one,two")
    path = tmp_path / "warm.sock"
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(path)])
    try:
        wait_for(path)
        first, second = start(server=path), start(server=path)
        held = first.holds(), second.holds()
        assert sorted(held) == ["one", "two"]
        third = start(server=path)
        assert third.waiting_line().startswith("seven-terms: waiting for 1 of 2 devices")
        first.process.kill()
        assert third.holds() == held[0]
        assert server.poll() is None
        second.process.kill()
        assert start().holds() == held[1]
    finally:
        server.kill()
        server.wait()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + HANGS
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_jobs_beyond_the_slots_say_so_once_and_go_on_one_after_the_other(start, monkeypatch):
    monkeypatch.setenv(devices.DEVICES, "one")
    monkeypatch.setenv(devices.SLOTS, "2")
    sharing = [start(), start()]
    assert [job.holds() for job in sharing] == ["one", "one"]
    waiting = [start(), start()]
    for job in waiting:
        assert job.waiting_line() == "seven-terms: waiting for 1 of 1 devices (2 at a time on each).\n"
    time.sleep(1.0)
    for job in sharing:
        job.end()
    assert [job.holds() for job in waiting] == ["one", "one"]
    assert [job.end() for job in waiting] == [("", ""), ("", "")]


def test_an_empty_device_comes_before_a_shared_one(start, monkeypatch):
    monkeypatch.setenv(devices.DEVICES, "one,two")
    monkeypatch.setenv(devices.SLOTS, "2")
    held = []
    for _ in range(4):
        held.append(start().holds())
    assert held == ["one", "two", "one", "two"]


def test_a_job_of_several_devices_gets_all_or_waits_for_all(start, monkeypatch):
    monkeypatch.setenv(devices.DEVICES, "one,two")
    first = start()
    assert first.holds() == "one"
    both = start(2)
    assert both.waiting_line() == "seven-terms: waiting for 2 of 2 devices (1 at a time on each).\n"
    second = start()
    assert second.holds() == "two"  # which nobody keeps from others meanwhile
    first.end()
    second.end()
    assert both.holds() == "one,two"


def test_a_job_of_more_devices_than_there_are_gets_them_all(start, monkeypatch):
    monkeypatch.setenv(devices.DEVICES, "one,two")
    assert start(4).holds() == "one,two"


@pytest.mark.parametrize(
    ("environment", "accelerator"),
    [
        ({}, "cpu"),
        ({devices.VISIBLE: "0,1"}, "cpu"),
        ({devices.VISIBLE: ""}, "gpu"),
        ({devices.VISIBLE: "3", "SLURM_JOB_ID": "77"}, "gpu"),
    ],
    ids=["processor", "processor beside GPUs", "no GPU", "Slurm"],
)
def test_nothing_is_done_without_a_gpu_or_where_slurm_did_it(environment, accelerator, monkeypatch, tmp_path):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with held_devices(1, accelerator=accelerator) as held:
        assert held == ()
        assert dict(os.environ) == before
    assert list(tmp_path.iterdir()) == []


def test_jobs_inside_one_slurm_allocation_share_it_out(start, monkeypatch):
    monkeypatch.setenv(devices.VISIBLE, "0,1")
    outside = start()
    assert outside.holds() == "0"
    monkeypatch.setenv("SLURM_JOB_ID", "77")  # its device 0 need not be that of the machine
    assert [start().holds(), start().holds()] == ["0", "1"]


def test_the_environment_is_as_before_when_the_device_is_given_back(monkeypatch):
    monkeypatch.setenv(devices.VISIBLE, "4,5")
    with held_devices(1, accelerator="gpu") as held:
        assert held == ("4",)
        assert os.environ[devices.VISIBLE] == "4"
    assert os.environ[devices.VISIBLE] == "4,5"


LISTING = """\
GPU 0: NVIDIA H200 (UUID: GPU-0aaa)
GPU 1: NVIDIA A100 (UUID: GPU-1bbb)
  MIG 3g.20gb     Device  0: (UUID: MIG-1ccc)
  MIG 3g.20gb     Device  1: (UUID: MIG-1ddd)
GPU 2: NVIDIA H200 (UUID: GPU-2eee)
"""


def test_gpus_and_the_parts_of_divided_ones_are_found_by_their_uuid(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{LISTING}END\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert device_names("gpu") == ("GPU-0aaa", "MIG-1ccc", "MIG-1ddd", "GPU-2eee")
    program.write_text("#!/bin/sh\necho 'No devices were found'\n")
    assert device_names("gpu") == ()


def test_without_nvidia_smi_the_driver_is_asked(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(devices, "DRIVER", tmp_path)
    for bus, uuid in (("0000:01:00.0", "GPU-12ab-34"), ("0000:02:00.0", "GPU-????????-????")):
        (tmp_path / bus).mkdir()
        (tmp_path / bus / "information").write_text(f"Model: \t NVIDIA H200\nGPU UUID: \t {uuid}\nBus Type: \t PCIe\n")
    assert device_names("gpu") == ("GPU-12ab-34",)


def test_a_wrong_number_of_slots_is_refused_in_one_sentence(monkeypatch):
    monkeypatch.setenv(devices.DEVICES, "one")
    monkeypatch.setenv(devices.SLOTS, "0")
    must = "SEVEN_TERMS_SLOTS: it must be a whole number > 0, the jobs that may share a device, got '0'."
    with pytest.raises(ValueError, match=re.escape(must)), held_devices(1, accelerator="gpu"):
        pass


def test_a_directory_of_somebody_else_is_refused(monkeypatch):
    monkeypatch.setenv(devices.DEVICES, "one")
    user = os.getuid()
    with held_devices(1, accelerator="gpu"):
        pass
    (made,) = Path(os.environ["TMPDIR"]).iterdir()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    made.rename(made.with_name(f"seven-terms-{user + 1}"))
    with pytest.raises(ValueError, match=f"it must belong to user {user + 1}, got {user}; delete it, or set TMPDIR"):
        held_devices(1, accelerator="gpu").__enter__()
