"""Somebody's data: no file of this project is touched; what is written here is all that a user writes."""

import gzip
import struct

import numpy as np
import pytest

from seven_terms.planning.modes import has_kernels
from seven_terms.planning.stacks import stacks_of
from seven_terms.records.canonical import content_id
from seven_terms.spec import SPLITS, Arm, ArrayData, Evaluate, Experiment, Mlp, Sgd, Steps, Stream, Training
from seven_terms.tasks import build_task
from seven_terms.training.train_stack import fit

RANDOM = np.random.default_rng(0)
IRIS = "mlxtend:data/data/iris.csv.gz"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def data_of(task: ArrayData):
    import torch

    return build_task(task, dtype=torch.float64, device="cpu")


def test_a_csv_inside_a_package_is_split_and_standardized_by_its_training_part():
    task = ArrayData(path=IRIS)
    assert (task.input_shape, task.num_outputs) == ((4,), 3)
    assert [task.examples(split) for split in SPLITS] == [90, 30, 30]
    x, labels = data_of(task).evaluation("train", [0])
    assert x.shape == (1, 90, 4)
    assert x.mean((0, 1)).abs().max() < 1e-12
    assert (x.std((0, 1), correction=0) - 1).abs().max() < 1e-12
    assert set(labels.unique().tolist()) == {0, 1, 2}
    assert data_of(task).evaluation("test", [0])[0].mean((0, 1)).abs().max() > 1e-6  # not by its own mean


def test_it_trains_and_is_learned_with_any_model_of_the_suite():
    training = Training(
        task=ArrayData(path=IRIS),
        model=Mlp(depth=1, width=16),
        optimizer=Sgd(learning_rate=0.1),
        num_steps=150,
        batch_size=15,
    )
    experiment = Experiment(
        name="iris", term="learning_rate", title="Iris", question="Is it learned?", method="A small net.",
        arms=(Arm(name="net", label="net", training=training),), num_seeds=2,
        probes=(Stream(window=50), Evaluate(steps=Steps(count=1), splits=("test",))),
    )  # fmt: skip
    (stack,) = stacks_of(experiment)
    table = fit(stack).recorder.table()
    last = table[(table.metric == "test_accuracy") & (table.step == 150)].value
    assert len(last) == 2
    assert last.min() > 0.8
    assert not has_kernels(training)


def test_npz_with_splits_of_its_own_numbers_as_targets_and_a_shape():
    arrays = {f"x_{split}": RANDOM.normal(size=(n, 12)) for split, n in zip(SPLITS, (20, 5, 6), strict=True)}
    arrays |= {f"y_{split}": arrays[f"x_{split}"].sum(1) for split in SPLITS}
    np.savez("own.npz", **arrays)
    task = ArrayData(path="own.npz", target_kind="numbers", shape=(3, 4), normalization="none")
    assert (task.input_shape, task.num_outputs, task.examples("test")) == ((3, 4), 1, 6)
    x, y = data_of(task).evaluation("test", [0])
    assert np.array_equal(x[0].numpy().reshape(6, 12), arrays["x_test"])
    assert np.array_equal(y[0, :, 0].numpy(), arrays["y_test"])


def test_idx_files_compressed_or_not():
    images = RANDOM.integers(0, 256, size=(10, 4, 4)).astype(np.uint8)
    labels = np.arange(10).astype(np.uint8) % 3
    with gzip.open("images-idx3-ubyte.gz", "wb") as file:
        file.write(struct.pack(">BBBB3I", 0, 0, 8, 3, *images.shape) + images.tobytes())
    with open("labels-idx1-ubyte", "wb") as file:
        file.write(struct.pack(">BBBBI", 0, 0, 8, 1, 10) + labels.tobytes())
    task = ArrayData(path="images-idx3-ubyte.gz", targets="labels-idx1-ubyte", shape=(1, 4, 4), normalization="all")
    assert (task.input_shape, task.num_outputs) == ((1, 4, 4), 3)
    assert sum(task.examples(split) for split in SPLITS) == 10


def test_a_folder_of_images_by_class(tmp_path):
    from PIL import Image

    for name, shade in (("dark", 0), ("bright", 200)):
        (tmp_path / "shades" / name).mkdir(parents=True)
        for number in range(5):
            Image.fromarray(np.full((6, 5), shade + number, np.uint8)).save(
                tmp_path / "shades" / name / f"{number}.png"
            )
    task = ArrayData(path="shades", normalization="none")
    assert (task.input_shape, task.num_outputs) == ((1, 6, 5), 2)
    x, labels = data_of(task).evaluation("train", [0])
    assert ((x.mean((2, 3, 4)) < 0.5) == (labels == 1)).all()  # bright, dark by the alphabet


def test_another_content_of_the_file_is_another_run():
    def id_of() -> str:
        return content_id(ArrayData(path="own.npz", target_kind="numbers"))

    np.savez("own.npz", x=np.ones((10, 2)), y=np.ones(10))
    first = id_of()
    assert id_of() == first
    np.savez("own.npz", x=np.zeros((10, 2)), y=np.ones(10))
    assert id_of() != first


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        ({"path": "nowhere.npz"}, "data file 'nowhere.npz': it must exist"),
        ({"path": IRIS, "checksum": "0" * 64}, f"its checksum must be {'0' * 64}, got "),
        ({"path": IRIS, "targets": "specie"}, "it must have a column 'specie', got "),
        ({"path": IRIS, "shape": (5,)}, r"an example must have the 5 numbers of shape, got \(4,\)"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(task, sentence):
    with pytest.raises(ValueError, match=sentence):
        ArrayData(**task).input_shape  # noqa: B018
