"""Somebody's examples from a file: .npz, .csv, idx or a folder of images, split by a fixed permutation or as the file says."""

from __future__ import annotations

import csv
import gzip
import io
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..spec import SPLITS, ArrayData, Split, require
from ..spec.content import checksum, find_file
from .data import Examples, StoredExamples, TaskData
from .losses import classification_metrics, cross_entropy, squared_error, squared_error_metrics

Arrays = tuple[np.ndarray, np.ndarray]
IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
ALL_WORDS = {"train": "train", "training": "train", "validation": "validation", "valid": "validation", "test": "test"}


def array_data(task: ArrayData, *, dtype: torch.dtype, device: torch.device) -> TaskData:
    """Return inputs [S, B, ...], whole numbers as tokens, and labels [S, B] or targets [S, B, D]."""
    splits = read_splits(task)
    classes = task.target_kind == "classes"
    tensors: dict[Split, Examples] = {
        split: (_inputs(x, dtype), torch.from_numpy(y) if classes else torch.from_numpy(y).to(dtype))
        for split, (x, y) in splits.items()
    }
    examples = StoredExamples(tensors, device=device)
    return TaskData(
        input_shape=task.input_shape,
        num_outputs=task.num_outputs,
        num_examples=examples.num_examples,
        batches=examples.batches,
        evaluation=examples.evaluation,
        loss=cross_entropy if classes else squared_error,
        metrics=classification_metrics if classes else squared_error_metrics,
    )


def _inputs(x: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    tensor = torch.from_numpy(x)
    return tensor if x.dtype == np.int64 else tensor.to(dtype)


def measure(task: ArrayData) -> dict[str, Any]:
    """Return the facts of the data: their shape, outputs and sizes."""
    splits = read_splits(task)
    x, y = splits["train"]
    classes = task.target_kind == "classes"
    num_outputs = 1 + max(int(y.max()) for _, y in splits.values()) if classes else y.shape[1]
    examples = {split: len(x) for split, (x, _) in splits.items()}
    return {"input_shape": list(x.shape[1:]), "num_outputs": num_outputs, "examples": examples}


def read_splits(task: ArrayData) -> dict[Split, Arrays]:
    """Return inputs and targets of each split, the inputs standardized by the training split."""
    path, what = find_file(task.path), f"ArrayData {task.path!r}"
    found = checksum(path)
    do = "delete the file and fetch it again, or write the checksum of the one you mean"
    require(task.checksum in ("", found), what=what, must=f"its checksum must be {task.checksum}", got=found, do=do)
    tables = _read(task, path, what=what)
    splits = _by_fractions(task, tables["all"]) if "all" in tables else tables
    lacking = [split for split in SPLITS if split not in splits or not len(splits[split][0])]
    require(not lacking, what=what, must="each split must have examples", got=f"none for {lacking}")
    x, y = (np.concatenate([splits[split][part] for split in SPLITS]) for part in (0, 1))
    y = _targets(task, y, what=what)
    ends = np.cumsum([len(splits[split][0]) for split in SPLITS])[:-1]
    parts = dict(
        zip(SPLITS, zip(np.split(_shaped(task, x, what=what), ends), np.split(y, ends), strict=True), strict=True)
    )
    return _normalized(task, parts)


def _by_fractions(task: ArrayData, arrays: Arrays) -> dict[Split, Arrays]:
    x, y = arrays
    order = np.random.Generator(np.random.PCG64(task.split_seed)).permutation(len(x))
    num_test, num_validation = (math.floor(share * len(x)) for share in (task.test_share, task.validation_share))
    ends = [len(x) - num_test - num_validation, len(x) - num_test]
    return {split: (x[rows], y[rows]) for split, rows in zip(SPLITS, np.split(order, ends), strict=True)}


def _targets(task: ArrayData, y: np.ndarray, *, what: str) -> np.ndarray:
    if task.target_kind == "classes":
        return np.unique(y.reshape(len(y)), return_inverse=True)[1].astype(np.int64)
    numbers = y.astype(np.float64).reshape(len(y), -1)
    require(bool(np.isfinite(numbers).all()), what=what, must="targets must be finite numbers", got="others")
    return numbers


def _shaped(task: ArrayData, x: np.ndarray, *, what: str) -> np.ndarray:
    must = "inputs must be numbers"
    require(np.issubdtype(x.dtype, np.number) or x.dtype == bool, what=what, must=must, got=str(x.dtype))
    tokens = task.normalization == "tokens"
    x = x.astype(np.int64 if tokens else np.float64)
    require(
        bool(np.isfinite(x).all()), what=what, must="inputs must be finite", got="NaN or infinity", do="fill the gaps"
    )
    if not task.shape:
        return x
    fits = math.prod(x.shape[1:]) == math.prod(task.shape)
    require(fits, what=what, must=f"an example must have the {math.prod(task.shape)} numbers of shape", got=x.shape[1:])
    return x.reshape(len(x), *task.shape)


def _normalized(task: ArrayData, splits: Mapping[Split, Arrays]) -> dict[Split, Arrays]:
    """Return the splits with mean 0 and deviation 1 by feature or over all, as the training split has them."""
    train = splits["train"][0]
    if task.normalization not in ("feature", "all"):
        return dict(splits)
    over = 0 if task.normalization == "feature" else None
    mean, deviation = train.mean(axis=over), train.std(axis=over)
    deviation = np.where(deviation > 0, deviation, 1.0)  # a constant feature becomes zero
    return {split: ((x - mean) / deviation, y) for split, (x, y) in splits.items()}


def _read(task: ArrayData, path: Path, *, what: str) -> dict[Any, Arrays]:
    name = path.name.removesuffix(".gz")
    if path.is_dir():
        return _read_images(path, what=what)
    if name.endswith(".npz"):
        return _read_npz(task, path, what=what)
    if name.endswith(".csv"):
        return _read_csv(task, path, what=what)
    if "idx" in name and task.targets:
        return {"all": (_read_idx(path), _read_idx(find_file(task.targets)))}
    must = "it must be .npz, .csv[.gz], a folder of images by class, or idx with the file of its labels in `targets`"
    require(False, what=what, must=must, got=path.name)
    raise AssertionError


def _read_npz(task: ArrayData, path: Path, *, what: str) -> dict[Any, Arrays]:
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    x, y = task.inputs or "x", task.targets or "y"
    if x in arrays and y in arrays:
        return {"all": (arrays[x], arrays[y])}
    named = {split: (f"{x}_{split}", f"{y}_{split}") for split in SPLITS}
    complete = all(name in arrays for names in named.values() for name in names)
    must = f"it must hold {x!r} and {y!r}, or {x}_train, {y}_train and so on for each split"
    require(complete, what=what, must=must, got=sorted(arrays), do="name its arrays with `inputs` and `targets`")
    return {split: (arrays[a], arrays[b]) for split, (a, b) in named.items()}


def _read_csv(task: ArrayData, path: Path, *, what: str) -> dict[Any, Arrays]:
    text = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    rows = [row for row in csv.reader(io.StringIO(text.decode("utf-8-sig"))) if row]
    require(len(rows) > 1, what=what, must="it must hold rows", got=len(rows))
    has_names = not all(_is_number(word) for word in rows[0])
    names = rows[0] if has_names else [str(number) for number in range(len(rows[0]))]
    table = np.array(rows[has_names:], dtype=object)
    require(table.ndim == 2, what=what, must="its rows must be equally long", got="rows of several lengths")
    target = task.targets or names[-1]
    for name in (target, *([task.split_column] if task.split_column else [])):
        require(name in names, what=what, must=f"it must have a column {name!r}", got=names)
    left_out = {target, task.split_column}
    columns = [place for place, name in enumerate(names) if name not in left_out]
    words = table[:, columns]
    wrong = next((word for word in words.ravel() if not _is_number(word)), None)
    require(wrong is None, what=what, must="every column but the target must hold numbers", got=wrong)
    x, y = words.astype(np.float64), table[:, names.index(target)].astype(str)
    if not task.split_column:
        return {"all": (x, y)}
    told = np.array([ALL_WORDS.get(word.strip(), word) for word in table[:, names.index(task.split_column)]])
    return {split: (x[told == split], y[told == split]) for split in SPLITS}


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _read_idx(path: Path) -> np.ndarray:
    """Return an idx file (magic, sizes big-endian, then the values), compressed or not."""
    data = path.read_bytes()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    kind, num_dimensions = data[2], data[3]
    require(kind in IDX_TYPES, what=f"idx file {path.name!r}", must="its third byte must name a type", got=kind)
    shape = struct.unpack(f">{num_dimensions}I", data[4 : 4 + 4 * num_dimensions])
    return np.frombuffer(data, IDX_TYPES[kind], offset=4 + 4 * num_dimensions).reshape(shape)


def _read_images(path: Path, *, what: str) -> dict[Any, Arrays]:
    """Return images [N, channels, height, width] on [0, 1] by class, the name of their folder; or by split, then class."""
    folders = sorted(child.name for child in path.iterdir() if child.is_dir())
    if set(folders) == set(SPLITS):
        return {split: _images_of(path / split, what=what) for split in SPLITS}
    return {"all": _images_of(path, what=what)}


def _images_of(path: Path, *, what: str) -> Arrays:
    from PIL import Image  # imported here: other files need no Pillow

    files = sorted(file for file in path.glob("*/*") if file.suffix.lower() in IMAGES)
    require(bool(files), what=what, must="it must hold <class>/<image>.png", got=f"no images in {path.name!r}")
    images = []
    for file in files:
        with Image.open(file) as image:
            pixels = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"), dtype=np.float64) / 255
        images.append(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))
    shapes = {image.shape for image in images}
    require(len(shapes) == 1, what=what, must="its images must have one size", got=sorted(shapes)[:3])
    return np.stack(images), np.array([file.parent.name for file in files])
