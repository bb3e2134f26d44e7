"""A GPU under eager stacks: every kind against the processor, then eager, graphed and compiled updates side by side.

`PYTHONPATH=src python -m bench.gpu --output gpu.json`; needs PyTorch with CUDA, pytorch-lightning, pandas, some minutes.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from seven_terms.records.runs import Stack
from seven_terms.spec import Adam, Mlp, Recurrent
from seven_terms.training.program import StackedProgram
from tests.training.every_kind import difference, every_kind, in_float64, recorded

from .workloads import CNN, MLP, RNN, WORKLOADS, grid

TOLERANCES = {"float32": 2e-2, "float64": 1e-6}  # of six steps; a wrong rule moves tens of percents
SIZES = (1, 32, 512, 4096)
TIMED = ("mlp", "rnn_30", "cnn", "mlp_batch_norm", "mlp_adam", "lstm_30", "wide_mlp", "rnn_100")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=200.0, help="what all may take")
    parser.add_argument("--have", type=Path, help="an earlier output: kinds that were right there are kept")
    parser.add_argument("--share", type=float, default=0.5, help="of the seconds for comparing")
    parser.add_argument("--workloads", nargs="+", default=list(TIMED))
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    chosen = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    end = time.perf_counter() + chosen.seconds
    found: dict[str, Any] = {"torch": torch.__version__, "device": _name(chosen.device), "kinds": {}, "speed": []}

    def write() -> None:
        chosen.output.write_text(json.dumps(found, indent=1) + "\n")

    if chosen.have:
        known = json.loads(chosen.have.read_text())["kinds"]
        found["kinds"] = {name: told for name, told in known.items() if told["is_right"]}
    every = every_kind("smoke", "laptop", "full", "paper")
    stacks = {name: stack for name, stack in every.items() if name not in found["kinds"]}
    for name, told in compared(stacks, device=chosen.device, end=end - (1 - chosen.share) * chosen.seconds):
        found["kinds"][name] = told
        write()
    wrong = [name for name, told in found["kinds"].items() if not told["is_right"]]
    print(f"{len(found['kinds']) - len(wrong)} of {len(found['kinds'])} kinds right on {chosen.device}", flush=True)
    for row in speeds(chosen.device, tuple(chosen.sizes), names=chosen.workloads, end=end):
        found["speed"].append(row)
        write()
    return int(bool(wrong))


def compared(stacks: dict[str, Stack], *, device: str, end: float) -> Iterator[tuple[str, dict[str, Any]]]:
    """Train every kind on the device and on the processor; yield each with how far it ends from there, and print what does."""
    torch.set_num_threads(8)  # of the processor that is compared with
    for number, (name, stack) in enumerate(stacks.items()):
        if time.perf_counter() > end:
            print(f"out of time after {number} of {len(stacks)} kinds", flush=True)
            return
        try:
            told = _compared(stack, device=device)
        except FileNotFoundError:
            continue
        except Exception as error:
            if "download" in str(error):
                continue
            traceback.print_exc()
            told = {"difference": None, "is_right": False, "error": f"{type(error).__name__}: {error}"[:500]}
        if not told["is_right"]:
            print(f"WRONG {name}: {told}", flush=True)
        yield name, told


def _compared(stack: Stack, *, device: str) -> dict[str, Any]:
    """Return how far a kind ends from the processor's single precision, and if that is far, from its double precision.

    One unit at the brink takes a processor's float32 as far from its own float64: then either of the two is right.
    """
    tolerance = TOLERANCES[stack.runs[0].training.precision]
    found, wanted = recorded(stack, device=device), recorded(stack, device="cpu")
    told: dict[str, Any] = {"difference": difference(found, wanted, by_images=True)}
    if told["difference"] > tolerance:
        double = in_float64(stack)
        names = {there.id: here.id for here, there in zip(stack.runs, double.runs, strict=True)}
        exact = {(names[run], metric): values for (run, metric), values in recorded(double, device="cpu").items()}
        told["difference_from_float64"] = difference(found, exact, by_images=True)
        told["difference_of_the_processor"] = difference(wanted, exact, by_images=True)
    least = min(told["difference"], told.get("difference_from_float64", math.inf))
    return {**told, "is_right": least <= tolerance}


def speeds(device: str, sizes: tuple[int, ...], *, names: Sequence[str], end: float) -> Iterator[dict[str, Any]]:
    """Yield microseconds per update of the whole stack in each way, every workload and size."""
    adam = dataclasses.replace(MLP, optimizer=Adam())
    lstm = dataclasses.replace(RNN, model=Recurrent(cell="lstm", width=50))
    wide = dataclasses.replace(MLP, model=Mlp(depth=3, width=1000), batch_size=100)
    workloads = {**WORKLOADS, "mlp_adam": adam, "lstm_30": lstm, "wide_mlp": wide, "cnn": CNN}
    print(f"{'workload':16}{'R':>6}{'eager':>12}{'graphed':>12}{'reduce-overhead':>17}   us per update", flush=True)
    for name in names:
        for size in sizes:
            if time.perf_counter() > end:
                print("out of time", flush=True)
                return
            row: dict[str, Any] = {"workload": name, "num_runs": size}
            for way in ("eager", "graphed", "reduce-overhead"):
                row[way] = _microseconds(workloads[name], size, way=way, device=device)
            cells = "".join(
                _cell(row[way], width)
                for way, width in zip(("eager", "graphed", "reduce-overhead"), (12, 12, 17), strict=True)
            )
            print(f"{name:16}{size:6}{cells}", flush=True)
            yield row


def _cell(value: float | str | None, width: int) -> str:
    return f"{value:{width}.0f}" if isinstance(value, float) else f"{'-':>{width}}"


def _microseconds(training: Any, size: int, *, way: str, device: str) -> float | str | None:
    if way == "reduce-overhead" and (isinstance(training.model, Recurrent) or size not in (1, 32)):
        return None  # a loop over time would be unrolled; and compiling costs half a minute of the machine
    try:
        stack = grid(training, size, num_steps=2000)
        stack = dataclasses.replace(stack, runs=tuple(dataclasses.replace(run, mode="eager") for run in stack.runs))
        program = StackedProgram(stack, device=device)
        eager = program.way
        if way == "eager":
            eager.next, eager.is_graphed = eager.updated, False
        if way == "reduce-overhead":
            torch._dynamo.reset()
            eager.next = _compiled(eager)
            eager.is_graphed = True
        program.advance(0, 3)
        _wait(device)
        number, took = 3, 0.0
        started = time.perf_counter()
        while took < 0.4 and number < 1900:
            program.advance(number, number + 10)
            _wait(device)
            number, took = number + 10, time.perf_counter() - started
        return 1e6 * took / (number - 3)
    except Exception as error:
        print(f"  {way}, R = {size}: {type(error).__name__}: {str(error)[:300]}", flush=True)
        return f"{type(error).__name__}: {str(error)[:300]}"
    finally:
        if device == "cuda":
            torch.cuda.empty_cache()


def _compiled(eager: Any) -> Any:
    eager.number_U = torch.arange(len(eager.parts.batches.updates), device=eager.parts.device)
    made = torch.compile(eager.updated, fullgraph=True, dynamic=False, mode="reduce-overhead")

    def called(*arguments: Any) -> Any:
        torch.compiler.cudagraph_mark_step_begin()
        return torch.utils._pytree.tree_map(lambda tensor: tensor.clone(), made(*arguments))

    return called


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else device


if __name__ == "__main__":
    sys.exit(main())
