"""Updates on a GPU as CUDA graphs, recorded once and replayed: the same kernels in the same order, in one launch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

WARM_UPS = 2  # calls before recording, in which libraries choose their kernels and take their memory


class Graphed:
    """An update as one graph for each shape of its batch. What it leaves behind lies in its own tensors."""

    def __init__(self, updated: Callable[..., Any]) -> None:
        self.updated = updated
        self.recordings: dict[tuple, Recording] = {}

    def __call__(self, *arguments: Any) -> Any:
        leaves, form = tree_flatten(arguments)
        key = tuple((leaf.shape, leaf.stride(), leaf.dtype) for leaf in leaves)
        if key not in self.recordings:
            self.recordings[key] = Recording(self.updated, leaves, form)
        return self.recordings[key].replayed(leaves)


class Recording:
    """One graph, with the tensors that it reads and writes. Parameters, buffers and the rule's state change in place."""

    def __init__(self, updated: Callable[..., Any], leaves: list[Tensor], form: Any) -> None:
        self.held = [_own(leaf) for leaf in leaves]
        arguments = tree_unflatten(self.held, form)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                updated(*arguments)
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            *state, loss_R, before_R, after_R = updated(*arguments)
            kept, new = tree_flatten(arguments[: len(state)])[0], tree_flatten(state)[0]
            for old, now in zip(kept, new, strict=True):
                if old is not now:
                    old.copy_(now)
        self.state, self.told = arguments[: len(state)], (loss_R, before_R, after_R)

    def replayed(self, leaves: list[Tensor]) -> Any:
        for held, leaf in zip(self.held, leaves, strict=True):
            _fill(held, leaf)
        self.graph.replay()
        return *self.state, *[told.clone() for told in self.told]


def _own(leaf: Tensor) -> Tensor:
    """Return a copy that a graph may keep; what all runs share is kept once."""
    shared = leaf.dim() > 0 and leaf.stride(0) == 0
    return leaf[:1].clone().expand_as(leaf) if shared else leaf.clone()


def _fill(held: Tensor, leaf: Tensor) -> None:
    if held is leaf:
        return
    shared = leaf.dim() > 0 and leaf.stride(0) == 0 and leaf.shape[0] > 1
    (held[:1] if shared else held).copy_(leaf[:1] if shared else leaf)
