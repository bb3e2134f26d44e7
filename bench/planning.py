"""What many planned runs cost before and after training: seconds of a core and memory by their number.

`python -m bench.planning --runs 5000 20000 100000`; each number is a process of its own. A linear cost doubles with the runs.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiments import EXPERIMENTS
from seven_terms.planning.files import write_plans
from seven_terms.planning.forecast import cost_before
from seven_terms.planning.selection import make_plan
from seven_terms.records.plans import Plan, read_plan
from seven_terms.statistics.outputs import summarize
from seven_terms.training.train_stack import train_stack

MOST_TRAINED = 20_000
QUESTION = "gradient_clipping/power_function"  # cheap points, a sweep, and claims by seed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.planning", description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[2_500, 5_000, 10_000, 20_000, 100_000])
    parser.add_argument("--one", type=int, help="measure this number here")
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measured(chosen.one)))
        return 0
    for number in chosen.runs:
        done = subprocess.run(
            [sys.executable, "-m", "bench.planning", "--one", str(number)], capture_output=True, text=True
        )
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            return 1
        found = json.loads(done.stdout.splitlines()[-1])
        told = ", ".join(f"{name} {value:.1f} s" for name, value in found.items() if name not in ("runs", "megabytes"))
        print(f"{found['runs']:,} runs: {told}, {found['megabytes']:.0f} MB at most", flush=True)
    return 0


def measured(number: int) -> dict[str, float]:
    """Return seconds of each stage and the largest memory, for an experiment with about so many runs."""
    experiment = next(one for one in EXPERIMENTS if one.path == QUESTION).at_scale("laptop")
    arms = [dataclasses.replace(arm, num_seeds=None) for arm in experiment.arms]
    base = len(make_plan(dataclasses.replace(experiment, arms=tuple(arms)), scale="laptop").runs)
    seeds = max(round(experiment.num_seeds * number / base), 2)
    experiment = dataclasses.replace(experiment, arms=tuple(arms), num_seeds=seeds)
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder, started = Path(name), time.process_time()
        plan = make_plan(experiment, scale="laptop", compiling="auto")
        found["plan"] = time.process_time() - started
        started = time.process_time()
        write_plans({experiment.path: plan}, folder)
        found["plan file"] = time.process_time() - started
        started = time.process_time()
        read_plan(folder / "plan" / f"{experiment.path}.json")
        found["reading it"] = time.process_time() - started
        started = time.process_time()
        cost_before({experiment.path: plan}, folder)
        found["cost"] = time.process_time() - started
        if number <= MOST_TRAINED:
            found |= _trained(plan, folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"runs": len(plan.runs), **found, "megabytes": peak}


def _trained(plan: Plan, folder: Path) -> dict[str, float]:
    """Train all stacks and aggregate; return the seconds of both."""
    path, metrics = folder / "plan" / f"{plan.experiment.path}.json", folder / "metrics"
    started = time.process_time()
    for stack in plan.stacks:
        train_stack(plan_path=path, stack_id=stack, output_path=metrics / f"{stack}.parquet")
    trained = time.process_time()
    summarize(plan, metrics, folder / "summary.csv", folder / "claims.csv")
    return {"training": trained - started, "aggregation": time.process_time() - trained}


if __name__ == "__main__":
    sys.exit(main())
