"""The recorder: values per run at chosen steps, kept as arrays and written as one long table at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ..records.tables import METRICS

CHUNK = 1 << 23  # numbers that memory is asked for at once, 64 MB: more than malloc takes from where large tensors were


class Recorder:
    """Collects (step, metric, index, value) for the runs of a stack; the padding run is dropped here.

    Values are copied: a probe may hand over a tensor of the training, which changes in place. They lie side by side in few
    large arrays, because small ones, each kept where a large tensor has just been freed, would cost as much as that.
    """

    def __init__(self, run_ids: list[str]) -> None:
        self.run_ids = run_ids
        self.rows: list[tuple[int, str, np.ndarray, np.ndarray]] = []  # step, metric, index [I], values [R, I]
        self.free = np.empty(0)

    def record(self, step: int, metric: str, values: Tensor, *, index: list[int] | None = None) -> None:
        """Keep values [R] or [R, I] of a metric; `index` names the I entries (layers, lags, units), default 0..I-1."""
        kept = self._kept(values.detach()[: len(self.run_ids)].to("cpu", torch.float64).numpy())
        if kept.ndim == 1:
            self.rows.append((step, metric, np.array([-1], np.int32), kept[:, None]))
            return
        names = np.arange(kept.shape[1], dtype=np.int32) if index is None else np.array(index, np.int32)
        assert len(names) == kept.shape[1], (metric, len(names), kept.shape)
        self.rows.append((step, metric, names, kept))

    def _kept(self, values: np.ndarray) -> np.ndarray:
        if values.size > self.free.size:
            self.free = np.empty(max(CHUNK, values.size))
        place, self.free = self.free[: values.size].reshape(values.shape), self.free[values.size :]
        np.copyto(place, values)
        return place

    def table(self) -> pd.DataFrame:
        """Return all rows in the columns of `tables.METRICS`, sorted by metric, run, step as recorded."""
        if not self.rows:
            return pd.DataFrame({name: [] for name in METRICS})
        metrics = sorted({metric for _, metric, _, _ in self.rows})
        code = {metric: number for number, metric in enumerate(metrics)}
        num_runs = len(self.run_ids)
        sizes = [len(index) * num_runs for _, _, index, _ in self.rows]
        return pd.DataFrame(
            {
                "run_id": pd.Categorical.from_codes(
                    np.concatenate([np.repeat(np.arange(num_runs), len(index)) for _, _, index, _ in self.rows]),
                    self.run_ids,
                ),
                "step": np.repeat([step for step, *_ in self.rows], sizes).astype(np.int32),
                "metric": pd.Categorical.from_codes(
                    np.repeat([code[metric] for _, metric, _, _ in self.rows], sizes), metrics
                ),
                "index": np.concatenate([np.tile(index, num_runs) for _, _, index, _ in self.rows]),
                "value": np.concatenate([values.reshape(-1) for *_, values in self.rows]),
            }
        )

    def state(self) -> list[tuple[int, str, Any, Any]]:
        """Return the rows as tensors, for a checkpoint."""
        return [(s, m, torch.from_numpy(i.copy()), torch.from_numpy(v.copy())) for s, m, i, v in self.rows]

    def load_state(self, state: list[tuple[int, str, Any, Any]]) -> None:
        self.rows = [(step, metric, index.numpy(), values.numpy()) for step, metric, index, values in state]
