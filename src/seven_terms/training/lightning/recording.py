"""What a LightningModule logs, kept as rows of a metrics file; a step is the number of updates that were made before."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from ...records.atomic import read_text, write
from ...records.runs import Run
from ...records.tables import METRICS
from ...spec import LightningTraining, require

COUNTERS = ("epoch", "step")  # Lightning's own, beside what a module logs


class Recording:
    """The rows of one run. What is logged twice at a step counts as it was logged last, as in Lightning's own tables."""

    def __init__(self, training: LightningTraining) -> None:
        self.names = {logged: metric.name for logged, metric in training.metrics.items()}
        self.rows: dict[tuple[int, str], float] = {}
        self.diverged_at: int | None = None
        self.num_steps = 0

    def add(self, step: int, values: Mapping[str, float]) -> None:
        for logged, value in values.items():
            if logged not in COUNTERS:
                self.rows[step, self.names.get(logged, logged)] = float(value)

    def finish(self, what: str) -> None:
        """Give a diverged run a last value of each metric, which is not a number; ValueError where one was never logged."""
        found = {name for _, name in self.rows}
        if self.diverged_at is not None:
            self.rows |= {(self.num_steps, name): math.nan for name in self.names.values()}
            return
        missing = [logged for logged, name in self.names.items() if name not in found]
        must = f"it must log {', '.join(map(repr, missing))} with self.log"
        require(not missing, what=what, must=must, got=sorted(found), do="see `metrics` of the arm's LightningTraining")

    def state(self) -> dict[str, Any]:
        rows = [[step, name, str(value)] for (step, name), value in self.rows.items()]  # JSON has no infinity
        return {"rows": rows, "diverged_at": self.diverged_at, "num_steps": self.num_steps}

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.rows = {(step, name): float(value) for step, name, value in state["rows"]}
        self.diverged_at, self.num_steps = state["diverged_at"], state["num_steps"]


def table_of(recordings: Mapping[str, Recording]) -> pd.DataFrame:
    """Return the rows of all runs, by run id, in the columns of a metrics file."""
    keys = sorted((name, run, step) for run, one in recordings.items() for step, name in one.rows)
    table = {
        "run_id": pd.Categorical([run for _, run, _ in keys], list(recordings)),
        "step": [step for *_, step in keys],
        "metric": pd.Categorical([name for name, *_ in keys]),
        "index": -1,
        "value": [recordings[run].rows[step, name] for name, run, step in keys],
    }
    return pd.DataFrame(table).astype({"step": "int32", "index": "int32", "value": "float64"})[list(METRICS)]


def end_of(run: Run, recording: Recording) -> dict[str, Any]:
    """Return how a run ended."""
    status = "completed" if recording.diverged_at is None else "diverged"
    return {"status": status, "diverged_at_step": recording.diverged_at, "steps": recording.num_steps}


def logger_of(library: ModuleType, recording: Recording) -> Any:
    """Return a logger of Lightning's that fills a recording."""

    class Recorder(library.loggers.Logger):  # type: ignore[name-defined]
        trainer: Any = None

        @property
        def name(self) -> str:
            return "seven-terms"

        @property
        def version(self) -> int:
            return 0

        def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
            if self.trainer.is_global_zero:
                recording.add(self.trainer.global_step, metrics)

        def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
            """The plan has them."""

    return Recorder()


def write_recording(path: Path, recording: Recording) -> None:
    write(path, json.dumps(recording.state()))


def read_recording(path: Path, recording: Recording) -> bool:
    """Fill a recording from a file; return False where there is none, or a damaged one."""
    if not path.is_file():
        return False
    try:
        recording.load_state(json.loads(read_text(path)))
    except (ValueError, KeyError, TypeError):
        return False
    return True
