"""Time every contender on every workload and size, in turn, several rounds: results/bench/speed.csv and a table.

One thread each. A row: seconds per run and step (median, least and most over rounds), the ratio to ours in the same
round, and the share of the floor, which is the workload's operations over the measured rate of batched products.
"""

from __future__ import annotations

import argparse
import csv
import math
import statistics
import time
from pathlib import Path

import torch

from seven_terms.cost import flops_per_run_step
from seven_terms.plan import Stack
from seven_terms.provenance import provenance

from .contenders import CONTENDERS, MOST_TIMED
from .workloads import WORKLOADS, grid

COLUMNS = (
    "workload", "contender", "num_runs", "num_steps", "seconds_per_run_step", "least", "most", "times_ours",
    "share_of_floor", "largest_loss_difference", "processor", "commit",
)  # fmt: skip


def product_rate(*, seconds: float = 1.0) -> float:
    """Return the measured rate of batched products of the workloads' shape, in operations a second."""
    a, b = torch.randn(32, 60, 100), torch.randn(32, 100, 100)
    torch.bmm(a, b)
    fastest, end = math.inf, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        torch.bmm(a, b)
        fastest = min(fastest, time.perf_counter() - start)
    return 2 * 32 * 60 * 100 * 100 / fastest


def time_round(workload: str, num_runs: int, num_steps: int) -> dict[str, tuple[float, list[float]]]:
    """Return {contender: (seconds per run and step, final losses)} of one round, contenders in turn."""
    found = {}
    for name, contender in CONTENDERS.items():
        stack = grid(WORKLOADS[workload], num_runs, num_steps=num_steps)
        if name != "stacked (ours)":
            stack = Stack(experiment=stack.experiment, runs=stack.runs[:MOST_TIMED])
        start = time.perf_counter()
        losses = contender(stack)
        found[name] = ((time.perf_counter() - start) / (len(stack.runs) * num_steps), losses)
    return found


def rows_of(workload: str, num_runs: int, num_steps: int, rounds: int, floor: float) -> list[dict]:
    measured = [time_round(workload, num_runs, num_steps) for _ in range(rounds)]
    ours = "stacked (ours)"
    rows = []
    for name in CONTENDERS:
        times = [found[name][0] for found in measured]
        pairs = zip(measured[0][name][1], measured[0][ours][1], strict=False)
        rows.append(
            {
                "workload": workload,
                "contender": name,
                "num_runs": num_runs,
                "num_steps": num_steps,
                "seconds_per_run_step": statistics.median(times),
                "least": min(times),
                "most": max(times),
                "times_ours": statistics.median(found[name][0] / found[ours][0] for found in measured),
                "share_of_floor": floor / statistics.median(times),
                "largest_loss_difference": max(abs(theirs - own) for theirs, own in pairs),
            }
        )
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", type=int, nargs="+", default=[1, 8, 32, 128])
    options.add_argument("--workloads", nargs="+", default=list(WORKLOADS), choices=WORKLOADS)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--steps", type=int, default=300)
    options.add_argument("--output", type=Path, default=Path("results/bench/speed.csv"))
    chosen = options.parse_args()
    torch.set_num_threads(1)
    record, rate, rows = provenance(), product_rate(), []
    print(f"{record['processor']}, one thread, batched products {rate / 1e9:.0f} GFLOP/s")
    for workload in chosen.workloads:
        floor = flops_per_run_step(WORKLOADS[workload]) / rate
        for size in chosen.sizes:
            for row in rows_of(workload, size, chosen.steps, chosen.rounds, floor):
                rows.append(row | {"processor": record["processor"], "commit": record["commit"]})
                print(
                    f"{workload:15s} {row['contender']:27s} R={size:<4d} {row['seconds_per_run_step'] * 1e3:8.3f} ms"
                    f"  {row['times_ours']:7.1f} x  {row['share_of_floor']:5.0%} of the floor", flush=True,
                )  # fmt: skip
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    with chosen.output.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    print(chosen.output)


if __name__ == "__main__":
    main()
