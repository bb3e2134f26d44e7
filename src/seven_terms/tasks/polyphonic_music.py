"""Polyphonic music: predict the next frame of 88 notes; negative log-likelihood in nats per frame, summed over notes.

A sequence's first frame is predicted from silence, so that every frame counts once. Sequences are cut into examples of
`chunk` frames, the last one padded; each starts from a fresh state and, unless it opens a sequence, sees the frame before
it. The third tensor of a batch holds the weights of the frames, 0 for padding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..spec import PolyphonicMusic, Split
from .data import Examples, StoredExamples, TaskData
from .downloads import fetch
from .files import MUSIC

NUM_NOTES = 88
VARIABLES: dict[Split, str] = {"train": "traindata", "validation": "validdata", "test": "testdata"}


def polyphonic_music(task: PolyphonicMusic, *, dtype: torch.dtype, device: torch.device) -> TaskData:
    """Return inputs and targets [S, B, T, 88] and weights [S, B, T]; outputs are logits of independent notes."""
    splits: dict[Split, Examples] = {
        split: cut(sequences, chunk=task.chunk) for split, sequences in read_sequences(task.name).items()
    }
    examples = StoredExamples(splits, device=device)
    # with these weights the mean over examples of weighted sums is the mean over frames
    weight = {split: len(mask) / int(mask.sum()) for split, (_, mask) in splits.items()}

    def frames(notes: Tensor, mask: Tensor, split: Split) -> Examples:
        notes = notes.to(dtype)
        return notes[..., :-1, :], notes[..., 1:, :], mask.to(dtype) * weight[split]

    def batches(seeds: Sequence[int], position: int, size: int | None = None) -> Examples:
        notes, mask = examples.batches(seeds, position, size)
        return frames(notes, mask, "train")

    def evaluation(split: Split, seeds: Sequence[int]) -> Examples:
        notes, mask = examples.evaluation(split, seeds)
        return frames(notes, mask, split)

    return TaskData(
        input_shape=(task.chunk, NUM_NOTES),
        num_outputs=NUM_NOTES,
        num_examples=examples.num_examples,
        batches=batches,
        evaluation=evaluation,
        loss=loss,
        metrics=metrics,
    )


def loss(logits_BTN: Tensor, inputs: Tensor, targets_BTN: Tensor, weights_BT: Tensor) -> Tensor:
    """Return the mean over the batch's frames of the negative log-likelihood."""
    return _weighted_sum(logits_BTN, targets_BTN, weights_BT) / weights_BT.sum()


def metrics(logits_BTN: Tensor, inputs: Tensor, targets_BTN: Tensor, weights_BT: Tensor) -> dict[str, Tensor]:
    """Return the loss so that means over parts of a split, weighted by examples, are the mean over its frames."""
    return {"loss": _weighted_sum(logits_BTN, targets_BTN, weights_BT) / weights_BT.shape[0]}


def _weighted_sum(logits_BTN: Tensor, targets_BTN: Tensor, weights_BT: Tensor) -> Tensor:
    nats_BT = (F.softplus(logits_BTN) - targets_BTN * logits_BTN).sum(-1)  # -log Bernoulli(target; sigmoid(logit))
    return (nats_BT * weights_BT).sum()


def read_sequences(name: str) -> dict[Split, list[Tensor]]:
    """Return the sequences of each split, bytes [frames, 88]; column j is MIDI note 21 + j."""
    from scipy.io import loadmat  # imported here: other tasks also work where scipy is absent

    contents = loadmat(fetch(MUSIC[name]), variable_names=list(VARIABLES.values()))
    return {
        split: [torch.from_numpy(frames.astype("uint8")) for frames in contents[variable].flat]
        for split, variable in VARIABLES.items()
    }


def cut(sequences: list[Tensor], *, chunk: int) -> Examples:
    """Return notes [N, chunk + 1, 88], whose first frame is the one before the chunk, and a mask [N, chunk], as bytes."""
    notes, masks = [], []
    for sequence in sequences:
        num_chunks = -(-len(sequence) // chunk)
        padded = F.pad(sequence, (0, 0, 1, num_chunks * chunk - len(sequence)))
        notes.append(padded.unfold(0, chunk + 1, chunk).transpose(1, 2))
        masks.append((torch.arange(num_chunks * chunk) < len(sequence)).view(num_chunks, chunk))
    return torch.cat(notes).contiguous(), torch.cat(masks).to(torch.uint8)
