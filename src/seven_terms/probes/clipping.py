"""The direction of the clipped gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..optimizers import gradient_norm
from ..spec import ClippedDirection


def observe_clipped_direction(probe: ClippedDirection, program: Any, step: int) -> Iterator[tuple[str, Tensor, None]]:
    """Yield the cosine between the clipped and the raw batch gradient, and the clipped one's largest entry and norm."""
    batch = program.batch_of_step(step)
    _, raw = program.gradients(program.parameters, program.frozen_buffers(), batch)
    clipped, _, _ = program.rules.clipped(program.parameters, raw)
    product_R = torch.stack([(clipped[name] * raw[name]).flatten(1).sum(1) for name in raw]).sum(0)
    norm_R = gradient_norm(clipped)
    yield "clip_cosine", product_R / (norm_R * gradient_norm(raw)), None
    yield "clipped_entry_max", torch.stack([part.abs().flatten(1).amax(1) for part in clipped.values()]).amax(0), None
    yield "clipped_norm", norm_R, None
