"""Measure how fast a device is: a few small real stacks, about a minute, for the forecasts of `seven-terms plan`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import torch

from ..planning import write_plan
from ..planning.calibration import Calibration, Speed, write_calibration
from ..planning.modes import compiler
from ..planning.stacks import workload_of
from ..planning.workload import Kind, Workload
from ..records.plans import read_plan
from ..records.provenance import processor
from ..records.runs import Mode, Run, Stack
from ..spec import (
    Adding,
    Arm,
    BatchNorm,
    Cnn,
    Digits,
    Experiment,
    GaussianInputs,
    Mlp,
    Model,
    Point,
    Quadratic,
    Recurrent,
    Resnet,
    Stream,
    Task,
    Training,
)
from .program import StackedProgram
from .train_stack import configure_torch, require_accelerator

SECONDS_EACH = 2.0  # two stacks for each kind of model
GPU_FACTOR = 4  # on a GPU the large stacks are this many times larger, to fill it
# Images of one channel: those of CIFAR-10 would have to be downloaded.
Parts = tuple[Task, Model, int]  # with the size of a batch
SMALL: dict[Kind, Parts] = {
    "point": (Quadratic(dimension=10), Point(dimension=10), 1),
    "dense": (GaussianInputs(num_features=8), Mlp(depth=3, width=8), 4),
    "recurrent": (Adding(length=20), Recurrent(width=4), 2),
    "convolution": (Digits(resolution=7, image=True), Cnn(channels=(2, 2, 2), normalization=BatchNorm()), 2),
    "native": (GaussianInputs(num_features=8), Mlp(depth=3, width=8), 4),
}
LARGE: dict[Kind, Parts] = {
    "point": (Quadratic(dimension=10_000, noise_scale=1.0), Point(dimension=10_000), 1),
    "dense": (Digits(), Mlp(depth=3, width=100, normalization=BatchNorm()), 60),
    "recurrent": (Adding(length=50), Recurrent(width=50), 20),
    "convolution": (Digits(image=True), Resnet(n=1), 32),
    "native": (Digits(), Mlp(depth=3, width=100, normalization=BatchNorm()), 60),
}
NUM_RUNS: dict[Kind, int] = {
    "point": 64,
    "dense": 64,
    "recurrent": 64,
    "convolution": 8,
    "native": 16,
}  # of a large stack


def calibrate(output_path: Path, *, accelerator: str = "cpu", seconds_each: float = SECONDS_EACH) -> Calibration:
    """Measure this device, write the calibration and return it; ValueError where the accelerator is missing."""
    on_gpu = accelerator == "gpu"
    require_accelerator(accelerator)
    configure_torch()
    calibration = Calibration(
        hardware=torch.cuda.get_device_name() if on_gpu else f"one core of {processor()}",
        measured=f"measured {date.today().isoformat()}",
        start_seconds=_start_seconds(accelerator),
        import_seconds=_import_seconds(),
        speeds=_speeds(on_gpu=on_gpu, seconds_each=seconds_each),
    )
    write_calibration(calibration, output_path)
    return calibration


def _speeds(*, on_gpu: bool, seconds_each: float) -> dict[Kind, Speed]:
    """Return the speed of every kind; kernels are a processor's, and without a compiler nothing is planned for them."""
    kinds = [kind for kind in SMALL if kind != "native" or compiler() is not None]
    measured = {kind: _speed(kind, on_gpu=on_gpu and kind != "native", seconds_each=seconds_each) for kind in kinds}
    return {kind: measured.get(kind, measured["dense"]) for kind in SMALL}


def _speed(kind: Kind, *, on_gpu: bool, seconds_each: float) -> Speed:
    """Solve time = launches x + operations / y from a stack that is nearly all launches and one nearly all operations."""
    factor = GPU_FACTOR if on_gpu else 1
    device = "cuda" if on_gpu else "cpu"
    sized = ((SMALL[kind], 1), (LARGE[kind], factor * NUM_RUNS[kind]))
    mode: Mode = "native" if kind == "native" else "eager"
    small, large = (one_update(parts, num_runs=num_runs, mode=mode) for parts, num_runs in sized)
    small_seconds, large_seconds = (
        _seconds_per_update(_stack(parts, num_runs=num_runs, mode=mode), device=device, seconds=seconds_each)
        for parts, num_runs in sized
    )
    return solve(small, small_seconds, large, large_seconds)


def solve(small: Workload, small_seconds: float, large: Workload, large_seconds: float) -> Speed:
    """Return the speed that explains both times; where noise would make a part negative, that part is a twentieth."""
    per_launch, rate = small_seconds / small.launches, large.operations / large_seconds
    for _ in range(3):  # each part corrects the other; two rounds are enough
        rate = large.operations / max(large_seconds - per_launch * large.launches, large_seconds / 20)
        per_launch = max(small_seconds - small.operations / rate, small_seconds / 20) / small.launches
    return Speed(seconds_per_launch=per_launch, operations_per_second=rate)


def one_update(parts: Parts, *, num_runs: int, mode: Mode = "eager") -> Workload:
    """Return what one update of a stack of these parts asks for."""
    return workload_of(_stack(parts, num_runs=num_runs, mode=mode, num_steps=1))


def _stack(parts: Parts, *, num_runs: int, mode: Mode, num_steps: int = 100_000) -> Stack:
    task, model, batch_size = parts
    training = Training(task=task, model=model, num_steps=num_steps, batch_size=batch_size)
    record = {"experiment": "", "arm": "", "settings": {}, "training": training, "probes": (), "mode": mode}
    runs = [Run(seed=seed, **record) for seed in range(num_runs)]
    return Stack(experiment="", runs=tuple(runs))


def _seconds_per_update(stack: Stack, *, device: str, seconds: float) -> float:
    """Return the mean time of an update. It is not the median: data are drawn in blocks, every so many updates.

    On the processor that is processor time: one thread, and what else the machine does should not count.
    """
    program = StackedProgram(stack, device=device)
    at_once = min(program.way.updates_per_call, program.way.updates_per_step)
    finish: Callable[[], None] = torch.cuda.synchronize if device == "cuda" else lambda: None
    clock = time.perf_counter if device == "cuda" else time.process_time
    for number in range(3):  # the first updates fill caches
        program.update(number)
    finish()
    start, end = clock(), time.perf_counter() + seconds
    number = first = 3
    last = len(program.updates) - at_once
    while number <= last and (number < first + 3 or time.perf_counter() < end):
        program.advance(number, number + at_once)
        finish()
        number += at_once
    return (clock() - start) / (number - first)


def _start_seconds(accelerator: str) -> float:
    """Return what a stack of one update costs as a job of the pipeline does: the command, its warm start, the files."""
    task, model, batch_size = LARGE["dense"]
    training = Training(task=task, model=model, num_steps=1, batch_size=batch_size)
    experiment = Experiment(
        name="calibration",
        term="learning_rate",
        title="Calibration",
        question="What does a stack of one update cost?",
        method="It is trained as the pipeline does.",
        arms=(Arm(name="only", label="only", training=training),),
        num_seeds=NUM_RUNS["dense"],
        probes=(Stream(),),
    )
    times = []
    with tempfile.TemporaryDirectory() as folder:
        plan_path = Path(folder) / "plan.json"
        write_plan(experiment, plan_path, scale="laptop")
        words = ["--plan", str(plan_path), "--stack", next(iter(read_plan(plan_path).stacks))]
        for attempt in ("first", "second", "third"):  # the first one starts the server
            files = ["--output", f"{folder}/{attempt}.parquet"]
            command = [sys.executable, "-m", "seven_terms", "train", *words, *files, "--accelerator", accelerator]
            start = time.perf_counter()
            subprocess.run(command, check=True)
            times.append(time.perf_counter() - start)
    return min(times)


def _import_seconds() -> float:
    """Return what a process of its own pays before it trains."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import seven_terms.training"], check=True)
    return time.perf_counter() - start
