"""The attacks of an earlier review that did harm then, each again: S are silent wrong results, F failures without a word.

Its flipped bits (S5, S6, S10), edited and cut files (S3, S8, S9, F5) are parts `bits` and `damage`.
"""

from __future__ import annotations

import dataclasses
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from experiments.exploding_gradient import cliff
from seven_terms.planning import make_plan
from seven_terms.records.runs import Stack
from seven_terms.training.train_stack import fit

from ..training.stacks import BATCH_NORM, CNN, MLP, RNN, make_runs
from .outcomes import Trial
from .pipeline import Pipeline, differences, kill

ONLY = "exploding_gradient/cliff"
OTHER = "gradient_clipping/power_function"
SENTENCE = re.compile(r"^(seven-terms|snakemake)[ :].+[.]$", re.MULTILINE)
Whole = dict[str, str]


def trials(root: Path, project: Path, *, until: float) -> Iterator[Trial]:
    """Yield the quick ones, then those that need a pipeline, while there is time."""
    yield from states_of_the_end()
    yield from unfinished_requests()
    yield from endless_specs()
    pipeline = Pipeline(root=root, only=ONLY).make(project)
    status, printed = pipeline.run()
    assert status == 0, printed
    assert pipeline.made(), printed
    whole = pipeline.made()
    for attack in (failing_fork, lost_metrics, failed_stage, wrong_mirror, others_beside, killed_server):
        for trial in attack(pipeline, whole):
            yield trial
            if time.monotonic() > until:
                pipeline.end()
                return
    pipeline.end()


def states_of_the_end() -> Iterator[Trial]:
    """S4: a state that was saved after the last update is gone on from; nothing may be measured twice."""
    os.environ["SEVEN_TERMS_CHECKPOINT_SECONDS"] = "0"
    try:
        for training in (MLP, BATCH_NORM, RNN, CNN):
            stack = Stack(experiment="test/one", runs=make_runs(training, 2))
            with tempfile.TemporaryDirectory() as folder:
                first, again = (fit(stack, state_dir=Path(folder)).recorder.table() for _ in range(2))
            same = first.equals(again)
            told = f"{len(first)} rows, then {len(again)}"
            yield Trial("S4 state of the end", "training", "same bytes" if same else "other bytes, silently", told)
    finally:
        del os.environ["SEVEN_TERMS_CHECKPOINT_SECONDS"]


def unfinished_requests(*, number: int = 20) -> Iterator[Trial]:
    """F2: a client goes away within its request; the server must neither turn in a circle nor keep others waiting."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "warm.sock")
        server = subprocess.Popen([sys.executable, "-m", "seven_terms", "serve", "--socket", str(path)])
        try:
            while not path.exists():
                assert server.poll() is None
                time.sleep(0.1)
            for sent in random.Random(0).choices(
                (b"", b"{", b'{"arguments": ["show"', b"\0\xff", b"no JSON\n"), k=number
            ):
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(str(path))
                    client.sendall(sent)
                before = _processor_seconds(server.pid)
                time.sleep(0.2)
                busy = _processor_seconds(server.pid) - before > 0.1
                end = "no end" if busy or server.poll() is not None else "noticed"
                yield Trial("F2 request that breaks off", "the warm server", end, repr(sent))
        finally:
            server.kill()
            server.wait()


def endless_specs() -> Iterator[Trial]:
    """F4: batches of -1, batches that never grow, and millions of runs once crashed, hung or were planned."""
    cases: dict[str, Callable[[], object]] = {
        "batch_size=-1": lambda: dataclasses.replace(MLP, batch_size=-1),
        "batch_growth by 0": lambda: dataclasses.replace(MLP, batch_growth=((0.5, 0),)),
        "batch_growth by -2": lambda: dataclasses.replace(MLP, batch_growth=((0.5, -2),)),
        "num_steps=10**13": lambda: dataclasses.replace(MLP, num_steps=10**13),
        "num_seeds=3,000,000": lambda: make_plan(
            dataclasses.replace(cliff.experiment, num_seeds=3_000_000), scale="laptop"
        ),
    }
    for name, make in cases.items():
        try:
            make()
        except ValueError as error:
            yield Trial("F4 endless experiment", "planning", "refused in a sentence", f"{name}: {error}")
        else:
            yield Trial("F4 endless experiment", "planning", "no end", name)


def failing_fork(pipeline: Pipeline, whole: Whole) -> Iterator[Trial]:
    """F1: what fails in a fork of the server says as much as in a process of its own."""
    one, other = sorted(pipeline.folder.shared.glob("metrics/*/*/*.parquet"))[:2]
    held = one.read_bytes()
    shutil.copyfile(other, one)
    folder = pipeline.folder
    words = [
        "--plan",
        folder.plan(ONLY),
        "--metrics",
        folder.metrics_of(ONLY),
        "--summary",
        "s.csv",
        "--claims",
        "c.csv",
    ]
    said = []
    for warm in ("1", "0"):
        done = _typed(pipeline, "-m", "seven_terms", "summarize", *map(str, words), SEVEN_TERMS_WARM=warm)
        said.append(done.stdout + done.stderr)
        clear = done.returncode == 1 and SENTENCE.search(said[-1]) and "Traceback" not in said[-1]
        yield Trial("F1 failure in a fork", f"summary, warm start {warm}", _clear(bool(clear)), said[-1][-300:])
    yield Trial("F1 failure in a fork", "both say the same", "noticed" if said[0] == said[1] else "no end", said[0])
    one.write_bytes(held)


def lost_metrics(pipeline: Pipeline, whole: Whole) -> Iterator[Trial]:
    """F6, F7: metrics that are damaged, gone, or another stack's are made again by the same command."""
    one, other = sorted(pipeline.folder.shared.glob("metrics/*/*/*.parquet"))[:2]
    harms: dict[str, Callable[[], object]] = {
        "F7 metrics gone behind a whole PDF": one.unlink,
        "F6 metrics emptied": lambda: one.write_bytes(b""),
        "F6 metrics cut": lambda: one.write_bytes(one.read_bytes()[:-100]),
        "F6 metrics of another stack": lambda: shutil.copyfile(other, one),
    }
    for name, harm in harms.items():
        harm()
        yield _again(pipeline, whole, name)


def failed_stage(pipeline: Pipeline, whole: Whole) -> Iterator[Trial]:
    """S1: a title is edited, LaTeX fails once; the next call must not stop before the old PDF."""
    file = pipeline.checkout / "experiments" / f"{ONLY}.py"
    text, pdf = file.read_text(encoding="utf-8"), pipeline.folder.pdf.read_bytes()
    edited = re.sub(r'\btitle="', 'title="Indeed, ', text, count=1)
    assert edited != text
    file.write_text(edited, encoding="utf-8")
    broken = pipeline.root / "broken"
    broken.mkdir(exist_ok=True)
    (broken / "latexmk").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (broken / "latexmk").chmod(0o755)
    failed, printed = pipeline.run(PATH=f"{broken}{os.pathsep}{pipeline.surroundings['PATH']}")
    status, said = pipeline.run()
    renewed = status == 0 and pipeline.folder.pdf.read_bytes() != pdf and failed
    yield Trial(
        "S1 stage that failed once",
        "LaTeX",
        "same bytes" if renewed else "not made again",
        printed[-200:] + said[-200:],
    )
    file.write_text(text, encoding="utf-8")
    yield _again(pipeline, whole, "S1 title edited and taken back")


def wrong_mirror(pipeline: Pipeline, whole: Whole) -> Iterator[Trial]:
    """S7: a W&B mode that does not exist is refused before anything is trained."""
    for mode in ("foo", "ONLINE", "offline "):
        pipeline.forget()
        status, said = pipeline.run(WANDB_MODE=mode)
        trained = list(pipeline.folder.shared.glob("metrics/*/*/*.parquet"))
        yield Trial(
            "S7 wrong W&B mode",
            repr(mode),
            _clear(status == 1 and not trained and "Traceback" not in said),
            said[-300:],
        )


def others_beside(pipeline: Pipeline, whole: Whole) -> Iterator[Trial]:
    """S2: dry runs, plans and a second call of another selection, while a first one trains."""
    pipeline.forget()
    call = pipeline.start()
    while call.poll() is None and not any(pipeline.folder.shared.glob("metrics/*/*/*.parquet")):
        time.sleep(0.05)
    snakemake = ["-m", "snakemake", "--cores", "1", "--config", "scale=smoke", f"only={OTHER}"]
    plan = ["-m", "seven_terms", "plan", "--scale", "smoke", "--results", "results/smoke", "--only", OTHER]
    refused = [_typed(pipeline, *words) for words in ([*snakemake, "-n"], plan, snakemake)]
    status = call.wait(timeout=1800)
    told = f"status {status}" if status else ", ".join(differences(pipeline.made(), whole)[:4])
    said = " | ".join(one.stderr.strip()[-100:] for one in refused)
    yield Trial(
        "S2 other calls beside a training", "3 calls", "other bytes, silently" if told else "same bytes", told or said
    )


def killed_server(pipeline: Pipeline, whole: Whole, *, number: int = 6) -> Iterator[Trial]:
    """F3: the warm server is killed; what ran in it runs again by itself, and the call ends well."""
    chance = random.Random(0)
    for _ in range(number):
        pipeline.forget()
        call = pipeline.start()
        servers: list[int] = []
        while call.poll() is None and not servers:
            time.sleep(0.1)
            servers = [process for process, words in pipeline.processes().items() if "-m seven_terms serve" in words]
        time.sleep(chance.uniform(0.0, 8.0))
        for process in servers:
            kill(process)
        status = call.wait(timeout=1800)
        told = f"status {status}" if status else ", ".join(differences(pipeline.made(), whole)[:4])
        yield Trial("F3 warm server killed", "one call", "other bytes, silently" if told else "same bytes", told)


def _again(pipeline: Pipeline, whole: Whole, name: str) -> Trial:
    status, said = pipeline.run()
    told = said[-300:] if status else ", ".join(differences(pipeline.made(), whole)[:4])
    end = "not made again" if status else "other bytes, silently"
    return Trial(name, "finished results", end if told else "same bytes", told)


def _typed(pipeline: Pipeline, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=pipeline.checkout,
        env=pipeline.surroundings | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _clear(is_clear: bool) -> str:
    return "refused in a sentence" if is_clear else "traceback"


def _processor_seconds(process: int) -> float:
    words = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
