"""What a task hands to the trainer, and how examples are drawn.

A batch depends on (seed, position, size) alone, position being the number of examples consumed so far. Which other seeds
are asked for at the same time, and what was asked before, changes nothing but the caches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ..seeds import Purpose, subseed
from ..spec import SPLITS, Split, require

Normals = Callable[[Sequence[int], torch.Generator], Tensor]  # shape, generator -> standard normals in float64
Examples = tuple[Tensor, ...]  # a batch, or a split: inputs first
LARGEST_BLOCK = 1024  # examples drawn at once
VALUES_PER_BLOCK = 65_536  # and the numbers that may take, for each seed
MOST_VALUES_KEPT = 1 << 23  # of a divided split, for the next look: 32 or 64 MB


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskData:
    """A task ready for training.

    batches(seeds, position, size) -> tensors [S, B, ...]; size None is the whole training split, then [1, B, ...].
    evaluation(split, seeds) -> tensors [1 or S, B, ...]; 1 where all seeds are evaluated on the same examples.
    loss(outputs, *batch) -> scalar and metrics(outputs, *batch) -> scalars by name, for one run, without a run axis; the
    first tensor of a batch is the model's input. Metrics are means over examples, so that parts may be averaged.
    singles(seeds, position, number) -> the batches [S, number, ...] of so many updates of one example each, where that is
    cheaper than one after the other; None where it is not.
    drawn_with(normals) -> the same task, its normal numbers from another source; None where it draws none.
    """

    input_shape: tuple[int, ...]
    num_outputs: int
    num_examples: int | None  # None: the examples never end, or there are none
    batches: Callable[..., Examples]
    evaluation: Callable[..., Examples]
    loss: Callable[..., Tensor]
    metrics: Callable[..., dict[str, Tensor]]
    singles: Callable[..., Tensor] | None = None
    drawn_with: Callable[[Normals], TaskData] | None = None


def generator(seed: int, purpose: Purpose, step: int = 0) -> torch.Generator:
    """Return a CPU generator of its own for (seed, purpose, step): the same numbers whatever the device."""
    return torch.Generator().manual_seed(subseed(seed, purpose, step))


class ExampleOrder:
    """The order in which stored examples are visited: one permutation for each (seed, epoch), end to end."""

    def __init__(self, num_examples: int, *, device: torch.device) -> None:
        self.num_examples, self.device = num_examples, device
        self._permutations = lru_cache(maxsize=4)(self._draw)

    def indices(self, seeds: Sequence[int], position: int, size: int) -> Tensor:
        """Return the indices [S, size] of the examples at position, position + 1, ... of each seed's stream."""
        pieces = _pieces(self._permutations, tuple(seeds), position, size, block=self.num_examples)
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=1)

    def _draw(self, seeds: tuple[int, ...], epoch: int) -> Tensor:
        drawn = [torch.randperm(self.num_examples, generator=generator(seed, "order", epoch)) for seed in seeds]
        return torch.stack(drawn).to(self.device)


class StoredExamples:
    """Splits kept in memory as tensors [N, ...]; batches follow each seed's permutations of the training split."""

    def __init__(self, splits: Mapping[Split, Examples], *, device: torch.device) -> None:
        self.splits = {split: tuple(tensor.to(device) for tensor in tensors) for split, tensors in splits.items()}
        self.num_examples = len(splits["train"][0])
        self.order = ExampleOrder(self.num_examples, device=device)

    def batches(self, seeds: Sequence[int], position: int, size: int | None = None) -> Examples:
        if size is None:
            return self.evaluation("train", seeds)
        indices_SB = self.order.indices(seeds, position, size)
        # index_select copies whole rows: five times faster than indexing with the matrix
        chosen = indices_SB.reshape(-1)
        return tuple(
            tensor.index_select(0, chosen).view(*indices_SB.shape, *tensor.shape[1:]) for tensor in self.splits["train"]
        )

    def evaluation(self, split: Split, seeds: Sequence[int]) -> Examples:
        return tuple(tensor.unsqueeze(0) for tensor in self.splits[split])


class DividedExamples:
    """One pool of examples [N, ...], divided into splits by a permutation of each seed's own; batches as for stored ones."""

    def __init__(self, pool: Examples, sizes: Mapping[Split, int], *, num_train: int, device: torch.device) -> None:
        """`sizes` are those of the splits, one after another; of the training split the first `num_train` are kept."""
        self.pool = tuple(tensor.to(device) for tensor in pool)
        self.sizes, self.num_examples, self.device = sizes, num_train, device
        self.order = ExampleOrder(num_train, device=device)
        self._places = lru_cache(maxsize=8)(self._divide)
        self._kept = lru_cache(maxsize=3)(self._evaluated)

    def batches(self, seeds: Sequence[int], position: int, size: int | None = None) -> Examples:
        if size is None:
            return self.evaluation("train", seeds)
        within_SB = self.order.indices(seeds, position, size)
        return self._chosen(self._places("train", tuple(seeds)).gather(1, within_SB))

    def evaluation(self, split: Split, seeds: Sequence[int]) -> Examples:
        number = self.num_examples if split == "train" else self.sizes[split]
        is_small = len(seeds) * number * sum(tensor[0].numel() for tensor in self.pool) <= MOST_VALUES_KEPT
        return (self._kept if is_small else self._evaluated)(split, tuple(seeds))

    def _evaluated(self, split: Split, seeds: tuple[int, ...]) -> Examples:
        return self._chosen(self._places(split, seeds))

    def _chosen(self, places_SB: Tensor) -> Examples:
        flat = places_SB.reshape(-1)
        return tuple(tensor.index_select(0, flat).view(*places_SB.shape, *tensor.shape[1:]) for tensor in self.pool)

    def _divide(self, split: Split, seeds: tuple[int, ...]) -> Tensor:
        """Return the places [S, B] in the pool of each seed's examples of a split."""
        first = sum(self.sizes[other] for other in SPLITS[: SPLITS.index(split)])
        last = first + (self.num_examples if split == "train" else self.sizes[split])
        whole = [torch.randperm(len(self.pool[0]), generator=generator(seed, "problem")) for seed in seeds]
        return torch.stack([order[first:last] for order in whole]).to(self.device)


class FreshExamples:
    """An endless stream of examples for each seed, none seen twice: example i is a function of (seed, i) alone.

    Examples are drawn in blocks (block k from the generator of (seed, purpose, k)), so that the cost of seeding and of
    small draws is paid once per block and not at every step.
    """

    def __init__(
        self,
        draw: Callable[[torch.Generator, int], Examples],
        *,
        values_per_example: int,
        purpose: Purpose = "order",
        device: torch.device,
    ) -> None:
        self.draw, self.device = draw, device
        self.purpose: Purpose = purpose
        self.block = max(1, min(LARGEST_BLOCK, VALUES_PER_BLOCK // values_per_example))
        self._blocks = lru_cache(maxsize=2)(self._draw_block)

    def take(self, seeds: Sequence[int], position: int, size: int) -> Examples:
        """Return the examples at position, ..., position + size - 1 of each seed, each tensor [S, size, ...]."""
        pieces = [
            [tensor[:, part] for tensor in self._blocks(tuple(seeds), index)]
            for index, part in _parts(position, size, block=self.block)
        ]
        # cat also copies a single piece: batches have the same memory layout at every step
        return tuple(torch.cat(of_one, dim=1) for of_one in zip(*pieces, strict=True))

    def _draw_block(self, seeds: tuple[int, ...], index: int) -> Examples:
        drawn = [self.draw(generator(seed, self.purpose, index), self.block) for seed in seeds]
        return tuple(torch.stack(tensors).to(self.device) for tensors in zip(*drawn, strict=True))


def _pieces(
    block_of: Callable[[tuple[int, ...], int], Tensor], seeds: tuple[int, ...], position: int, size: int, *, block: int
) -> list[Tensor]:
    """Return what [position, position + size) covers of each block [S, block, ...], in order."""
    return [block_of(seeds, index)[:, part] for index, part in _parts(position, size, block=block)]


def _parts(position: int, size: int, *, block: int) -> list[tuple[int, slice]]:
    """Return the blocks that [position, position + size) covers, each with what it covers of it."""
    end = position + size
    return [
        (index, slice(max(position - index * block, 0), min(end - index * block, block)))
        for index in range(position // block, (end - 1) // block + 1)
    ]


def required_size(task: object, size: int | None) -> int:
    """Return the batch size; ValueError when a task whose examples never end is asked for all of them."""
    require(
        size is not None,
        what=f"task {type(task).__name__}",
        must="batch_size must be a number because its examples never end",
        got=size,
        do="set Training.batch_size",
    )
    assert size is not None
    return size
