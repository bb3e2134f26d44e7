"""Sub-seeds: (seed, purpose, step) -> integer. The arm never enters, so equal seeds are paired across arms."""

from __future__ import annotations

import hashlib
from typing import Literal

Purpose = Literal["initialization", "order", "noise", "augmentation", "evaluation", "problem"]


def subseed(seed: int, purpose: Purpose, step: int = 0) -> int:
    """Return a 63-bit integer that depends on all three arguments and on nothing else."""
    digest = hashlib.sha256(f"{seed}:{purpose}:{step}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
