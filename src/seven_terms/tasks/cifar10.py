"""CIFAR-10, standardized; 45,000 / 5,000 / 10,000 images, the last 5,000 of the training files validating.

Mean and standard deviation are those of all 50,000 training images, by channel (He et al. 2015) or by feature (Cohen et
al. 2021, who then train on the first 5,000). Augmentation: 4 pixels of padding with the mean, a random crop, a flip.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..spec import Cifar10, Split, require
from .data import Examples, FreshExamples, StoredExamples, TaskData
from .decompressed import cifar10_batch
from .losses import classification_metrics, cross_entropy, half_squared_error, half_squared_error_metrics

NUM_CLASSES, SHAPE = 10, (3, 32, 32)
RECORD_BYTES = 1 + 3 * 32 * 32
NUM_VALIDATION = 5_000
PADDING = 4
ROWS_AT_ONCE = 256  # their squares sum to less than 2^24: exact in float32, which is 20 times faster


def cifar10(task: Cifar10, *, dtype: torch.dtype, device: torch.device) -> TaskData:
    """Return images [S, B, 3, 32, 32], or [S, B, 3072], and labels [S, B]."""
    examples = StoredExamples(read_splits(task, dtype=dtype), device=device)
    crops = FreshExamples(draw_crops, values_per_example=3, purpose="augmentation", device=device)

    def flat(images: Tensor, labels: Tensor) -> Examples:
        return images if task.image else images.flatten(-3), labels

    def batches(seeds: Sequence[int], position: int, size: int | None = None) -> Examples:
        images, labels = examples.batches(seeds, position, size)
        if task.augment:
            images = images.expand(len(seeds), *images.shape[1:])
            images = pad_crop_flip(images, *crops.take(seeds, position, images.shape[1]))
        return flat(images, labels.expand(images.shape[0], -1))

    def evaluation(split: Split, seeds: Sequence[int]) -> Examples:
        return flat(*examples.evaluation(split, seeds))

    squared = task.loss == "half_squared_error"
    return TaskData(
        input_shape=SHAPE if task.image else (RECORD_BYTES - 1,),
        num_outputs=NUM_CLASSES,
        num_examples=examples.num_examples,
        batches=batches,
        evaluation=evaluation,
        loss=half_squared_error if squared else cross_entropy,
        metrics=half_squared_error_metrics if squared else classification_metrics,
    )


def read_splits(task: Cifar10, *, dtype: torch.dtype) -> dict[Split, Examples]:
    """Return standardized images [N, 3, 32, 32] and labels [N] of each split."""
    images, labels = read_batches([f"data_batch_{number}.bin" for number in range(1, 6)])
    test_images, test_labels = read_batches(["test_batch.bin"])
    num_train = len(labels) - NUM_VALIDATION
    require(
        task.num_train is None or task.num_train <= num_train,
        what="Cifar10",
        must=f"num_train must be at most {num_train}",
        got=task.num_train,
    )
    mean, deviation = (value.to(dtype) for value in moments(images, by=task.standardize))

    def standardized(images: Tensor) -> Tensor:
        return images.to(dtype).sub_(mean).div_(deviation)

    end = task.num_train or num_train
    return {
        "train": (standardized(images[:end]), labels[:end]),
        "validation": (standardized(images[num_train:]), labels[num_train:]),
        "test": (standardized(test_images), test_labels),
    }


def read_batches(names: list[str]) -> Examples:
    """Return images [N, 3, 32, 32] of bytes and labels [N]; a record is a label and 3 x 1,024 bytes, row by row."""
    records = np.concatenate([np.fromfile(cifar10_batch(name), np.uint8).reshape(-1, RECORD_BYTES) for name in names])
    images = torch.from_numpy(np.ascontiguousarray(records[:, 1:]))
    return images.view(-1, *SHAPE), torch.from_numpy(records[:, 0].astype(np.int64))


def moments(images: Tensor, *, by: str) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of bytes, [3, 1, 1] by channel or [3, 32, 32] by feature, in float64.

    The sums are those of integers, exact.
    """
    total = torch.zeros(SHAPE, dtype=torch.float64)
    squares = torch.zeros(SHAPE, dtype=torch.float64)
    for part in images.split(ROWS_AT_ONCE):
        values = part.to(torch.float32)
        total += values.sum(0)
        squares += values.square().sum(0)
    mean, mean_square = total / len(images), squares / len(images)
    if by == "channel":
        mean, mean_square = (value.mean((1, 2), keepdim=True) for value in (mean, mean_square))
    return mean, (mean_square - mean.square()).sqrt()


def draw_crops(random: torch.Generator, num: int) -> Examples:
    """Return crop corners [num, 2] in [0, 8] and flips [num] in {0, 1}."""
    corners = torch.randint(2 * PADDING + 1, (num, 2), generator=random)
    return corners, torch.randint(2, (num,), generator=random)


def pad_crop_flip(images: Tensor, corners: Tensor, flips: Tensor) -> Tensor:
    """Return crops [..., C, H, W] at corners [..., 2] of the zero-padded images, mirrored where flips [...] is 1."""
    side = torch.arange(images.shape[-1], device=images.device)
    columns = torch.where(flips[..., None] == 1, side.flip(0), side) + corners[..., 1, None]
    rows = side + corners[..., 0, None]
    padded = F.pad(images, (PADDING,) * 4)
    tall = padded.gather(-2, rows[..., None, :, None].expand(*images.shape[:-1], padded.shape[-1]))
    return tall.gather(-1, columns[..., None, None, :].expand(images.shape))
