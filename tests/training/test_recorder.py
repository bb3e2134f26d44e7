"""What is recorded stays as it was, and takes no memory beyond its own."""

import numpy as np
import torch

from seven_terms.training import recorder
from seven_terms.training.recorder import Recorder


def test_values_are_copied_from_tensors_that_change_in_place() -> None:
    kept, live_RD = Recorder(["one", "two"]), torch.zeros(3, 2, dtype=torch.float64)
    for step in range(3):
        kept.record(step, "coordinate", live_RD)
        live_RD += 1.0
    table = kept.table()
    assert table.groupby("step")["value"].unique().map(list).to_dict() == {0: [0.0], 1: [1.0], 2: [2.0]}


def test_rows_lie_side_by_side_whatever_their_sizes(monkeypatch) -> None:
    monkeypatch.setattr(recorder, "CHUNK", 10)
    kept = Recorder(["one"])
    given = [torch.arange(float(size))[None] for size in (4, 6, 3, 12, 1)]
    for step, values_RI in enumerate(given):
        kept.record(step, "metric", values_RI)
    assert [values.tolist() for *_, values in kept.rows] == [values.tolist() for values in given]
    bases = [values.base if values.base.base is None else values.base.base for *_, values in kept.rows]
    assert [len(base) for base in bases] == [10, 10, 10, 12, 10]
    assert bases[0] is bases[1]
    assert np.shares_memory(bases[0], kept.rows[0][3])
