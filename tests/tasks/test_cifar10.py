"""CIFAR-10: reading, standardizing and augmenting, on made-up batches and, where they are, on the original ones."""

import hashlib
import io
import lzma
import tarfile

import numpy as np
import pytest
import torch

from seven_terms.spec import Cifar10
from seven_terms.tasks import build_task, cifar10, decompressed, files
from seven_terms.tasks.data import generator

PER_BATCH = 20


@pytest.fixture
def batches(monkeypatch):
    """Made-up batches by name, with their checksums in place of the original ones; 80 / 20 / 20 images."""
    random = np.random.default_rng(0)
    contents = {}
    for name in files.CIFAR10_BATCHES:
        records = random.integers(0, 256, (PER_BATCH, cifar10.RECORD_BYTES), dtype=np.uint8)
        records[:, 0] = np.arange(PER_BATCH) % 10
        contents[name] = records.tobytes()
        monkeypatch.setitem(files.CIFAR10_BATCHES, name, f"sha256:{hashlib.sha256(contents[name]).hexdigest()}")
    monkeypatch.setattr(cifar10, "NUM_VALIDATION", PER_BATCH)
    return contents


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "data" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    monkeypatch.setenv("SEVEN_TERMS_DATA", str(folder.parent))
    return folder


@pytest.fixture
def stored(batches, folder):
    for name, content in batches.items():
        (folder / name).write_bytes(content)
    return batches


def put_archive(batches, folder, monkeypatch):
    path = folder.parent / "cifar-10-binary.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    checksum = f"md5:{hashlib.md5(path.read_bytes()).hexdigest()}"
    known = files.DataFile(path=path.name, checksum=checksum, urls=(), page="there")
    monkeypatch.setattr(decompressed, "CIFAR10_ARCHIVE", known)


def built(task, dtype=torch.float64):
    return build_task(task, dtype=dtype, device="cpu")


def test_splits_follow_the_order_of_the_files(stored):
    data = built(Cifar10())
    sizes = {split: data.evaluation(split, [1])[0].shape for split in ("train", "validation", "test")}
    assert sizes == {"train": (1, 80, 3, 32, 32), "validation": (1, 20, 3, 32, 32), "test": (1, 20, 3, 32, 32)}
    assert data.evaluation("test", [1])[1][0].tolist() == [*range(10), *range(10)]


def test_images_are_standardized_by_channel_over_all_training_images(stored):
    data = built(Cifar10())
    training = torch.cat([data.evaluation(split, [1])[0][0] for split in ("train", "validation")])
    torch.testing.assert_close(training.mean((0, 2, 3)), torch.zeros(3, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(training.std((0, 2, 3), correction=0), torch.ones(3, dtype=torch.float64))


def test_images_are_standardized_by_feature_and_flattened_if_asked(stored):
    data = built(Cifar10(standardize="feature", image=False, num_train=50))
    inputs, labels = data.batches([1, 2], 0, None)
    assert data.input_shape == (3072,)
    assert inputs.shape == (1, 50, 3072)
    assert labels.shape == (1, 50)
    record = np.frombuffer(stored["data_batch_1.bin"], np.uint8).reshape(PER_BATCH, -1)[7]
    pixels = np.concatenate(
        [np.frombuffer(stored[f"data_batch_{n}.bin"], np.uint8).reshape(PER_BATCH, -1) for n in range(1, 6)]
    )[:, 1:].astype(float)
    expected = (record[1:] - pixels.mean(0)) / pixels.std(0)
    np.testing.assert_allclose(inputs[0, 7].numpy(), expected, rtol=1e-9, atol=1e-9)
    assert labels[0, 7] == record[0]


def test_moments_are_exact_sums_in_parts():
    images = torch.randint(256, (1000, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    for by, dims in (("channel", (0, 2, 3)), ("feature", (0,))):
        mean, deviation = cifar10.moments(images, by=by)
        torch.testing.assert_close(mean.squeeze(), images.double().mean(dims), rtol=1e-13, atol=0)
        torch.testing.assert_close(deviation.squeeze(), images.double().std(dims, correction=0), rtol=1e-10, atol=0)


def test_the_loss_is_the_one_asked_for(stored):
    outputs, labels = torch.zeros(2, 10, dtype=torch.float64), torch.tensor([1, 2])
    assert built(Cifar10()).loss(outputs, outputs, labels).item() == pytest.approx(np.log(10))
    assert built(Cifar10(loss="half_squared_error")).loss(outputs, outputs, labels).item() == 0.5


def test_crops_and_flips_by_hand():
    image = torch.arange(1.0, 10.0, dtype=torch.float64).view(1, 1, 1, 3, 3)
    corners = torch.tensor([[[4, 4]]])
    same = cifar10.pad_crop_flip(image, corners, torch.tensor([[0]]))
    flipped = cifar10.pad_crop_flip(image, corners, torch.tensor([[1]]))
    shifted = cifar10.pad_crop_flip(image, torch.tensor([[[5, 3]]]), torch.tensor([[0]]))
    assert torch.equal(same, image)
    assert torch.equal(flipped, image.flip(-1))
    assert shifted[0, 0, 0].tolist() == [[0, 4, 5], [0, 7, 8], [0, 0, 0]]


def test_crops_are_uniform_over_81_corners_and_half_are_flipped():
    corners, flips = cifar10.draw_crops(generator(0, "augmentation"), 8100)
    counts = (9 * corners[:, 0] + corners[:, 1]).bincount(minlength=81)
    assert len(counts) == 81
    assert (counts - 100).abs().max() < 5 * 10
    assert flips.float().mean().item() == pytest.approx(0.5, abs=4 * 0.5 / 90)


def test_augmentation_is_a_function_of_seed_and_position(stored):
    data = built(Cifar10(augment=True))
    plain = built(Cifar10())
    images, labels = data.batches([1, 2], 70, 20)
    again = built(Cifar10(augment=True)).batches([2], 70, 20)
    assert torch.equal(images[1], again[0][0])
    assert torch.equal(labels, plain.batches([1, 2], 70, 20)[1])
    assert not torch.equal(images, plain.batches([1, 2], 70, 20)[0])
    assert torch.equal(data.evaluation("test", [1])[0], plain.evaluation("test", [1])[0])
    full, _ = data.batches([1, 2], 0, None)
    assert full.shape == (2, 80, 3, 32, 32)
    assert not torch.equal(full[0], full[1])


def test_compressed_batches_are_decompressed_once(batches, folder):
    for name, content in batches.items():
        (folder / f"{name}.xz").write_bytes(lzma.compress(content))
    first = decompressed.cifar10_batch("data_batch_2.bin")
    assert first.read_bytes() == batches["data_batch_2.bin"]
    (folder / "data_batch_2.bin.xz").unlink()
    assert decompressed.cifar10_batch("data_batch_2.bin") == first
    assert built(Cifar10()).num_examples == 80


def test_a_damaged_cache_is_made_again(batches, folder):
    (folder / "test_batch.bin.xz").write_bytes(lzma.compress(batches["test_batch.bin"]))
    cached = decompressed.cifar10_batch("test_batch.bin")
    cached.write_bytes(b"damaged")
    assert decompressed.cifar10_batch("test_batch.bin").read_bytes() == batches["test_batch.bin"]


def test_the_archive_is_unpacked_in_one_pass(batches, folder, monkeypatch):
    put_archive(batches, folder, monkeypatch)
    decompressed.cifar10_batch("data_batch_1.bin")
    (folder.parent / "cifar-10-binary.tar.gz").unlink()
    assert decompressed.cifar10_batch("test_batch.bin").read_bytes() == batches["test_batch.bin"]


def test_an_archive_without_the_batch_is_named(batches, folder, monkeypatch):
    put_archive({"data_batch_1.bin": batches["data_batch_1.bin"]}, folder, monkeypatch)
    with pytest.raises(ValueError, match=r"tar\.gz': it must contain 'test_batch\.bin', got 'no such member'"):
        decompressed.cifar10_batch("test_batch.bin")


def test_a_truncated_compressed_batch_is_named_and_leaves_nothing_behind(batches, folder):
    whole = lzma.compress(batches["test_batch.bin"])
    (folder / "test_batch.bin.xz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"test_batch\.bin\.xz': it must be readable to its end, got .*; delete it"):
        decompressed.cifar10_batch("test_batch.bin")
    left = [path.name for path in (folder.parents[1] / "cache").rglob("*") if path.is_file()]
    assert left == [".cifar-10.lock"]


def test_a_renamed_batch_is_refused_with_both_checksums(batches, folder):
    (folder / "data_batch_1.bin").write_bytes(batches["test_batch.bin"])
    (folder / "data_batch_2.bin.xz").write_bytes(lzma.compress(batches["test_batch.bin"]))
    expected, found = files.CIFAR10_BATCHES["data_batch_1.bin"], files.CIFAR10_BATCHES["test_batch.bin"]
    with pytest.raises(ValueError, match=rf"checksum must be {expected}, got '{found}'"):
        decompressed.cifar10_batch("data_batch_1.bin")
    with pytest.raises(ValueError, match=rf"'data_batch_2\.bin' must have checksum .*, got '{found}'"):
        decompressed.cifar10_batch("data_batch_2.bin")


def test_more_training_images_than_there_are_is_refused(stored):
    with pytest.raises(ValueError, match=r"Cifar10: num_train must be at most 80, got 81"):
        built(Cifar10(num_train=81))


def test_the_original_batches_have_the_known_counts_and_moments(original_data):
    images, labels = cifar10.read_batches([f"data_batch_{number}.bin" for number in range(1, 6)])
    assert images.shape == (50_000, 3, 32, 32)
    assert labels.bincount().tolist() == [5000] * 10
    mean, deviation = cifar10.moments(images, by="channel")
    assert mean.flatten().tolist() == pytest.approx([125.306918046875, 122.950394140625, 113.86538318359375], rel=1e-14)
    assert deviation.flatten().tolist() == pytest.approx([62.993219, 62.088708, 66.704900], abs=1e-6)
    assert cifar10.read_batches(["test_batch.bin"])[1].bincount().tolist() == [1000] * 10
