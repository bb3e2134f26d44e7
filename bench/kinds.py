"""Every kind of program of the suite, timed in every way that could train it: results/bench/kinds.csv and a table.

`python -m bench.kinds`; ways take turns on one core, and times are that core's own, so that a busy machine changes ratios
little. They are those of updates alone: ours as planned, a plain PyTorch loop over one module, the same loop compiled, an
ensemble by `torch.func` as users write it, one Lightning fit, and JAX in two forms: `vmap` over runs, and run by run inside one
call. JAX's loss of the third update must be ours. Rows are written kind by kind; `--have FILE` goes on where a call ended.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from experiments import EXPERIMENTS
from seven_terms.planning.cost import facts, flops_per_run_step
from seven_terms.planning.modes import mode_of
from seven_terms.planning.selection import plans_at
from seven_terms.spec import Cifar10, Digits, Training
from seven_terms.training.memory import keep_freed_memory
from seven_terms.training.train_stack import configure_torch
from tests.training.every_kind import kind_of

from .floor import product_rate
from .kinds_told import line, markdown, summary
from .ways import Timed, ensemble, lightning, ours, plain

JAX = {"JAX vmap": "vmap", "JAX run by run": "map"}
WAYS = ("ours", "plain loop", "compiled loop", "torch.func ensemble", *JAX, "Lightning fit")
ALONE = ("compiled loop", "Lightning fit")  # timed for one run only
PLANNED = 10_000  # runs of a program that is chosen a mode for; so many steps are planned, too
COMPARED = 3  # updates before the losses of two ways are compared
TOLERANCE = {"float32": 5e-3, "float64": 1e-6}  # of the loss; statistics of two examples turn rounding into 2e-3
MOST_STEPS = 2_000  # of a turn
Rows = list[dict[str, Any]]


class Differs(Exception):
    """A way trains something else than ours."""


def main() -> int:
    chosen = options().parse_args()
    _take_one_core()
    configure_torch()
    keep_freed_memory()  # as a training job does; every way has it
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    rate, rows = product_rate(accelerator="cpu", num_threads=1, clock=time.process_time), known(chosen.have)
    found = kinds(chosen.scales)
    for name, training in found.items():
        if chosen.only in name and flops_per_run_step(training) <= 1e9 * chosen.largest:
            for size in chosen.sizes:
                if not stands(rows, name, size, chosen.ways):
                    rows = [row for row in rows if (row["kind"], row["num_runs"]) != (name, size)]
                    rows += measured(name, training, size, chosen, rate=rate)
                    pd.DataFrame(rows).to_csv(chosen.output, index=False)
                    print(line(rows), flush=True)
    table = pd.DataFrame(rows)
    print(markdown(table) if chosen.markdown else summary(table))
    large = [name for name, training in found.items() if flops_per_run_step(training) > 1e9 * chosen.largest]
    print(f"left out, over {chosen.largest:g} GFLOP per update of a run: {'; '.join(large) or 'none'}", file=sys.stderr)
    return int((table["times_ours"] < 1).any() or table["failed"].any())


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.kinds", description=__doc__)
    add = parser.add_argument
    add("--scales", nargs="+", default=["laptop", "paper"])
    add("--sizes", type=int, nargs="+", default=[1, 8, 32])
    add("--ways", nargs="+", default=list(WAYS), choices=WAYS, help="'ours' must be one of them")
    add("--rounds", type=int, default=5, help="at most; two where they take long")
    add("--seconds", type=float, default=0.05, help="of one turn")
    add("--most-seconds", type=float, default=15.0, help="of all rounds of a kind and size, where two take less")
    add("--largest", type=float, default=1.0, help="GFLOP of a run's update; others are left out, and named")
    add("--only", default="", help="a part of a kind's name")
    add("--have", type=Path, help="a table of an earlier call: what stands there is kept and not measured again")
    add("--markdown", action="store_true", help="print the table as docs/speed.md holds it")
    add("--output", type=Path, default=Path("results/bench/kinds.csv"))
    return parser


def known(path: Path | None) -> Rows:
    """Return the rows of an earlier call."""
    return pd.read_csv(path).fillna({"reason": ""}).to_dict("records") if path else []


def stands(rows: Rows, name: str, size: int, ways: Iterable[str]) -> bool:
    there = {row["way"] for row in rows if (row["kind"], row["num_runs"]) == (name, size)}
    return {way for way in ways if size == 1 or way not in ALONE} <= there


def _take_one_core() -> None:
    """Stay on one core: JAX would otherwise start a thread for each."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def kinds(scales: Iterable[str]) -> dict[str, Training]:
    """Return the trainings of the suite by kind, the cheapest of each; what makes no update is left out."""
    found: dict[str, Training] = {}
    for scale in scales:
        for plan in plans_at(EXPERIMENTS, scale, compiling="never").values():
            for stack in plan.stacks.values():
                if not isinstance(stack.runs[0].training, Training):
                    continue  # somebody's LightningModule, which Lightning itself trains
                training = _on_bundled_data(stack.runs[0].training)
                name = kind_of(dataclasses.replace(stack.runs[0], probes=())).removesuffix("; ")
                if training.num_steps and (
                    name not in found or flops_per_run_step(training) < flops_per_run_step(found[name])
                ):
                    found[name] = training
    return found


def _on_bundled_data(training: Training) -> Training:
    """CIFAR-10 stands for itself on digits of nearly its size: the files are not on every machine."""
    task, size = training.task, training.batch_size
    if not isinstance(task, Cifar10):
        return training
    return dataclasses.replace(training, task=Digits(image=task.image), batch_size=size and min(size, 128))


def measured(name: str, training: Training, size: int, chosen: argparse.Namespace, *, rate: float) -> Rows:
    """Return a row a way, with the reason where there is no time; the ways take turns."""
    training = dataclasses.replace(training, num_steps=PLANNED)
    speed, mode = facts(training).speed, mode_of(training, size, compiling="auto")
    torch._dynamo.reset()  # else it falls back to eager code after the eighth kind
    active: dict[str, Timed] = {}
    reasons: dict[str, str] = {}
    failed: set[str] = set()
    times: dict[str, list[float]] = {}
    for way in [way for way in chosen.ways if size == 1 or way not in ALONE]:
        if way == "compiled loop" and speed == "recurrent":
            reasons[way] = "a loop over time would be unrolled"
            continue
        if way in JAX and importlib.util.find_spec("jax") is None:
            reasons[way] = "JAX is not installed, see setup/bench.sh"
            continue
        try:
            if way == "Lightning fit":
                times[way] = [lightning(training) for _ in range(2)]
                continue
            active[way] = _at_work(way, training, size, mode=mode)
            require_same(active[way], active["ours"], tolerance=TOLERANCE[training.precision])
        except Exception as error:
            active.pop(way, None)
            failed.add(way)
            reasons[way] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    times = _in_turns(active, chosen) | times
    ours_median = statistics.median(times.get("ours", [math.nan]))
    floor = math.nan if speed == "point" else flops_per_run_step(training) / _rate(rate, training)
    medians = {way: statistics.median(found) for way, found in times.items()}
    return [
        {
            "kind": name,
            "speed": "transformer" if "Transformer" in name else speed,
            "num_runs": size,
            "mode": mode,
            "way": way,
            "microseconds": 1e6 * medians.get(way, math.nan),
            "times_ours": medians.get(way, math.nan) / ours_median,
            "share_of_floor": floor / medians.get(way, math.nan),
            "reason": reasons.get(way, ""),
            "failed": way in failed,
        }
        for way in (*medians, *reasons)
    ]


def _rate(rate: float, training: Training) -> float:
    """Return the operations a second of the training's precision, from those of float32: a register holds half as many."""
    return rate if training.precision == "float32" else rate / 2


def _at_work(way: str, training: Training, size: int, *, mode: Any) -> Timed:
    """Return a way after its first updates, compiled."""
    makers: dict[str, Callable[[], Timed]] = {
        "ours": lambda: ours(training, size, mode=mode),
        "plain loop": lambda: plain(training),
        "compiled loop": lambda: plain(training, is_compiled=True),
        "torch.func ensemble": lambda: ensemble(training, size),
        **{name: lambda form=form: _jax(training, size, form=form) for name, form in JAX.items()},
    }
    made = makers[way]()
    made.go(COMPARED)
    return made


def _jax(training: Training, size: int, *, form: str) -> Timed:
    from .jax_ways import timed  # imported here: JAX may be absent

    return timed(training, size, form=form)


def require_same(made: Timed, ours: Timed, *, tolerance: float) -> None:
    if made.losses is None or ours.losses is None:
        return
    for found, wanted in zip(made.losses(), ours.losses(), strict=True):
        if not abs(found - wanted) <= tolerance * abs(wanted):
            raise Differs(f"loss {found:.8g} of update {COMPARED} where ours is {wanted:.8g}")


def _in_turns(active: dict[str, Timed], chosen: argparse.Namespace) -> dict[str, list[float]]:
    """Return seconds per run and update of each way, by round."""
    steps = {way: _steps(timed, seconds=chosen.seconds) for way, timed in active.items()}
    a_round = sum(seconds for _, seconds in steps.values())
    rounds = int(min(max(chosen.most_seconds / max(a_round, 1e-6), 2), chosen.rounds))
    times: dict[str, list[float]] = {way: [] for way in active}
    for number in range(rounds):
        for way in list(active)[:: 1 if number % 2 else -1]:
            taken = _seconds(active[way], steps[way][0])
            times[way].append(taken / (steps[way][0] * active[way].num_runs))
    return times


def _steps(timed: Timed, *, seconds: float) -> tuple[int, float]:
    """Return the updates of a turn that takes about so long, at least one, and what they took."""
    steps = 1
    while True:
        taken = _seconds(timed, steps)
        if taken >= seconds / 2 or steps == MOST_STEPS:
            return steps, taken
        steps = min(max(int(0.8 * steps * seconds / max(taken, 1e-6)), 2 * steps), 10 * steps, MOST_STEPS)


def _seconds(timed: Timed, steps: int) -> float:
    started = time.process_time()
    timed.go(steps)
    return time.process_time() - started


if __name__ == "__main__":
    sys.exit(main())
