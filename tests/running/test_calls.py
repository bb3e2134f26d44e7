"""A job ends with the call that started it, and LaTeX waits for what a killed call left running."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from seven_terms.running import calls
from seven_terms.running.typesetting import _alone

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux")
HANGS = 600.0  # seconds after which a test fails
STARTING = """
import subprocess, sys
from seven_terms.running.calls import name_call
name_call()
job = "from seven_terms.running.calls import end_with_call as end; end(); print('at work', flush=True); input()"
subprocess.run([sys.executable, "-c", job], stdin=sys.stdin, start_new_session=True)
"""
TYPESETTING = """
import os, subprocess, sys
from pathlib import Path
from seven_terms.running.typesetting import _alone
with _alone(Path(sys.argv[1])) as held:
    subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], pass_fds=(held,))
    os._exit(1)  # killed
"""


def test_a_job_ends_when_its_call_is_killed():
    call = subprocess.Popen([sys.executable, "-c", STARTING], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert call.stdin
    assert call.stdout
    assert call.stdout.readline() == b"at work\n"
    call.kill()
    assert call.stdout.read() == b""  # the job held the other end
    assert call.wait(timeout=HANGS) != 0
    call.stdout.close()
    call.stdin.close()


def test_a_job_whose_call_is_gone_does_nothing(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    environment = os.environ | {calls.CALL: f"{calls._place()}:{gone.pid}"}
    command = [sys.executable, "-m", "seven_terms", "new", "a/b", "--experiments", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (calls.GONE, "", "")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("call", ["", "another machine:pid:[4026531836]:1", "5", f"{calls._place()}:x"])
def test_a_job_of_no_call_or_of_one_elsewhere_runs(call, monkeypatch):
    monkeypatch.setenv(calls.CALL, call)
    before = threading.active_count()
    calls.end_with_call()
    assert threading.active_count() == before


def test_latex_waits_for_the_latex_of_a_killed_call(tmp_path):
    tex, entered = tmp_path / "main.tex", []

    def typeset():
        with _alone(tex):
            entered.append(True)

    killed = subprocess.Popen([sys.executable, "-c", TYPESETTING, str(tex)], stdin=subprocess.PIPE)
    assert killed.wait(timeout=HANGS) == 1
    waiting = threading.Thread(target=typeset, daemon=True)
    waiting.start()
    time.sleep(0.2)
    assert not entered
    assert killed.stdin
    killed.stdin.close()  # the LaTeX that was left ends
    waiting.join(timeout=HANGS)
    assert entered


def test_other_typesetting_in_the_same_folder_is_not_waited_for(tmp_path):
    with _alone(Path(tmp_path, "main.tex")), _alone(Path(tmp_path, "supplement.tex")):
        pass
