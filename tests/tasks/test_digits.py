"""Digits: the bundled images, the original files, and what is done to their pixels."""

import gzip
import hashlib
import struct
import subprocess
import sys

import numpy as np
import pytest
import torch

from seven_terms.spec import Digits
from seven_terms.tasks import build_task, digits
from seven_terms.tasks.files import MNIST, DataFile

SPLITS = ("train", "validation", "test")


def built(task, dtype=torch.float64):
    return build_task(task, dtype=dtype, device="cpu")


def test_the_bundle_holds_500_of_each_digit_in_splits_that_share_none():
    splits = digits.bundled_splits()
    assert {split: len(labels) for split, (_, labels) in splits.items()} == {
        "train": 3500,
        "validation": 500,
        "test": 1000,
    }
    images = torch.cat([splits[split][0] for split in SPLITS])
    labels = torch.cat([splits[split][1] for split in SPLITS])
    assert labels.bincount().tolist() == [500] * 10
    assert len(images.flatten(1).unique(dim=0)) == 5000
    assert images.dtype == torch.uint8
    assert images.max() == 255


def test_every_digit_is_in_every_split_about_as_often():
    for _, labels in digits.bundled_splits().values():
        shares = labels.bincount(minlength=10) / len(labels)
        assert (shares - 0.1).abs().max() < 4 * (0.09 / len(labels)) ** 0.5


def test_the_split_is_the_stated_permutation_of_the_stored_images():
    images, labels = digits.read_bundled()
    assert labels.tolist() == sorted(labels.tolist())
    test_images, test_labels = digits.bundled_splits()["test"]
    order = torch.randperm(5000, generator=digits.generator(0, "problem"))
    assert torch.equal(test_images, images[order[4000:]])
    assert torch.equal(test_labels, labels[order[4000:]])


def test_images_are_read_without_importing_the_package_that_holds_them():
    program = "import sys; from seven_terms.tasks.digits import read_bundled; read_bundled(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"mlxtend", "sklearn", "pandas", "matplotlib"}


def test_pixels_are_on_zero_to_one_or_binary_at_half_of_full_scale():
    image = torch.tensor([0, 127, 128, 255], dtype=torch.uint8).repeat(196).view(1, 28, 28)
    plain = digits.features(image, Digits(), dtype=torch.float64)
    binary = digits.features(image, Digits(binarize=True), dtype=torch.float64)
    assert plain[0, :4].tolist() == [0.0, 127 / 255, 128 / 255, 1.0]
    assert binary[0, :4].tolist() == [0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize(("resolution", "block"), [(14, 2), (7, 4)])
def test_lower_resolutions_are_block_means_taken_after_binarizing(resolution, block):
    image = torch.randint(256, (2, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    pooled = digits.features(image, Digits(resolution=resolution, binarize=True, image=True), dtype=torch.float64)
    assert pooled.shape == (2, 1, resolution, resolution)
    expected = (image[1, block : 2 * block, :block] > 127).double().mean()
    assert pooled[1, 0, 1, 0] == expected


@pytest.mark.parametrize(("image", "shape"), [(False, (196,)), (True, (1, 14, 14))])
def test_shapes_are_as_announced(image, shape):
    data = built(Digits(resolution=14, image=image), torch.float32)
    inputs, labels = data.batches([1, 2, 3], 3490, 20)
    assert data.input_shape == shape
    assert data.num_outputs == 10
    assert inputs.shape == (3, 20, *shape)
    assert inputs.dtype == torch.float32
    assert labels.shape == (3, 20)


def test_each_seed_divides_the_images_by_its_own_permutation_whoever_is_asked_with_it():
    data, (images, labels) = built(Digits(resolution=7)), digits.read_bundled()
    pixels = digits.features(images, Digits(resolution=7), dtype=torch.float64)
    sizes = {"train": 3500, "validation": 500, "test": 1000}
    for place, seed in enumerate((4, 9)):
        order = torch.randperm(5000, generator=digits.generator(seed, "problem"))
        parts = dict(zip(sizes, order.split(list(sizes.values())), strict=True))
        for split in SPLITS:
            inputs, named = data.evaluation(split, [4, 9])
            assert torch.equal(inputs[place], pixels[parts[split]])
            assert torch.equal(named[place], labels[parts[split]])
            assert torch.equal(data.evaluation(split, [seed])[0][0], inputs[place])
        batch = data.batches([9, 4], 3480, 40)[0][1 - place]
        assert {row.numpy().tobytes() for row in batch} <= {row.numpy().tobytes() for row in pixels[parts["train"]]}


def test_a_full_batch_is_each_seeds_training_split():
    data = built(Digits(resolution=7, num_train=100))
    inputs, labels = data.batches([1, 2], 0, None)
    assert inputs.shape == (2, 100, 49)
    assert torch.equal(labels, data.evaluation("train", [1, 2])[1])
    assert torch.equal(inputs, built(Digits(resolution=7)).evaluation("train", [1, 2])[0][:, :100])


def test_a_full_batch_of_a_fixed_split_is_shared_by_all_seeds():
    data = built(Digits(resolution=7, num_train=100, split="fixed"))
    inputs, labels = data.batches([1, 2, 3], 0, None)
    assert data.num_examples == 100
    assert inputs.shape == (1, 100, 49)
    assert torch.equal(labels, data.evaluation("train", [1])[1])
    assert torch.equal(inputs[0], built(Digits(resolution=7, split="fixed")).evaluation("train", [1])[0][0, :100])


def test_images_keep_their_labels_in_batches():
    data = built(Digits())
    inputs, labels = data.batches([8], 0, 3500)
    all_inputs, all_labels = data.evaluation("train", [8])
    by_image = {
        image.numpy().tobytes(): label for image, label in zip(all_inputs[0], all_labels[0].tolist(), strict=True)
    }
    found = [by_image[image.numpy().tobytes()] for image in inputs[0]]
    assert found == labels[0].tolist()
    assert found != all_labels[0].tolist()


def test_the_loss_may_be_half_the_squared_distance_to_the_one_hot_label():
    task = build_task(Digits(loss="half_squared_error"), dtype=torch.float64, device="cpu")
    outputs, labels = torch.eye(10, dtype=torch.float64)[:2], torch.tensor([0, 3])
    assert task.loss(outputs, outputs, labels).item() == 0.5
    assert task.metrics(outputs, outputs, labels)["accuracy"].item() == 0.5


def test_more_training_images_than_there_are_is_refused():
    with pytest.raises(ValueError, match="Digits: num_train must be at most 3,500, as many as there are, got 3501"):
        Digits(num_train=3501)


def test_idx_files_are_read_in_their_shape(tmp_path, monkeypatch):
    values = np.arange(24, dtype=np.uint8)
    stored = tmp_path / "mnist" / "some.gz"
    stored.parent.mkdir()
    stored.write_bytes(gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 3, 4) + values.tobytes()))
    checksum = f"sha256:{hashlib.sha256(stored.read_bytes()).hexdigest()}"
    monkeypatch.setitem(MNIST, "train_images", DataFile(path="mnist/some.gz", checksum=checksum, urls=(), page="-"))
    monkeypatch.setenv("SEVEN_TERMS_DATA", str(tmp_path))
    images = digits.read_idx("train_images")
    assert images.shape == (2, 3, 4)
    assert images.flatten().tolist() == list(range(24))


def test_the_original_files_have_the_known_sizes_counts_and_statistics(original_data):
    splits = digits.mnist_splits()
    assert [len(splits[split][1]) for split in SPLITS] == [55_000, 5_000, 10_000]
    train = splits["train"][1].bincount() + splits["validation"][1].bincount()
    assert train.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert splits["test"][1].bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    pixels = torch.cat([splits["train"][0], splits["validation"][0]]).flatten().float() / 255
    assert pixels.mean().item() == pytest.approx(0.1307, abs=5e-5)
    assert pixels.std().item() == pytest.approx(0.3081, abs=5e-5)


def test_the_bundled_images_are_among_the_original_ones(original_data):
    original = torch.cat([images for images, _ in digits.mnist_splits().values()])
    known = {image.numpy().tobytes() for image in original}
    bundled, _ = digits.read_bundled()
    assert all(image.numpy().tobytes() in known for image in bundled)
