"""A LightningModule that knows nothing of this project, trained by Lightning's own Trainer through an arm."""

import importlib
import re
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest
import pytorch_lightning as pl
from pytorch_lightning.loggers import CSVLogger

from seven_terms.planning import make_plan, workload_of
from seven_terms.planning.files import write_plans
from seven_terms.records.canonical import content_id
from seven_terms.records.runs import Stack
from seven_terms.records.tables import read_metrics
from seven_terms.spec import Arm, Cost, Experiment, Instance, LightningTraining, Metric
from seven_terms.spec.content import source_files
from seven_terms.training import train_stack
from seven_terms.training.checkpoints import SECONDS_BETWEEN
from seven_terms.training.train_stack import trained_stack

from .lit import Blobs, Classifier

VALIDATION = Metric(name="validation_loss", direction="min", split="validation")
TRAINING = LightningTraining(
    module=Instance(cls="tests.extending.lit:Classifier", arguments={"width": 6}),
    datamodule=Instance(cls="tests.extending.lit:Blobs"),
    trainer={"max_epochs": 3, "log_every_n_steps": 1, "gradient_clip_val": 0.5},
    metrics={"val_loss": VALIDATION, "test_loss": Metric(name="test_loss", direction="min", split="test")},
    cost=Cost(num_parameters=56, flops_per_step=4e3, num_batches=5),
)


def experiment(training: LightningTraining = TRAINING, **fields) -> Experiment:
    arm = Arm(name="lit", label="lit", training=training)
    texts = {"name": "lit", "term": "batch_norm", "title": "t", "question": "q", "method": "m"}
    return Experiment(**texts, arms=(arm,), **{"num_seeds": 2, **fields})


def stack_of(training: LightningTraining = TRAINING, **fields) -> Stack:
    stacks = make_plan(experiment(training, **fields), scale="laptop").stacks.values()
    return Stack(experiment="batch_norm/lit", runs=tuple(run for stack in stacks for run in stack.runs))


def values(table: pd.DataFrame, metric: str) -> dict[tuple[str, int], float]:
    rows = table[table["metric"] == metric]
    return dict(zip(zip(rows["run_id"].astype(str), rows["step"], strict=True), rows["value"], strict=True))


def test_a_run_has_the_numbers_that_lightning_alone_gives(tmp_path):
    """The oracle is the Trainer as a user of Lightning calls it, with clipping and dropout, and its own table."""
    stack = stack_of(num_seeds=1)
    found = values(trained_stack(stack).table, "validation_loss")
    pl.seed_everything(0, workers=True, verbose=False)
    trainer = pl.Trainer(
        **{"max_epochs": 3, "log_every_n_steps": 1, "gradient_clip_val": 0.5},
        **{"accelerator": "cpu", "num_sanity_val_steps": 0, "enable_checkpointing": False},
        **{"enable_progress_bar": False, "enable_model_summary": False, "logger": CSVLogger(tmp_path)},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(Classifier(width=6), datamodule=Blobs())
    table = pd.read_csv(next(tmp_path.rglob("metrics.csv")))
    assert list(found.values()) == pytest.approx(table["val_loss"].dropna().tolist(), rel=1e-6)
    assert [step for _, step in found] == [5, 10, 15]


def test_a_run_is_the_same_alone_and_beside_others():
    together = stack_of(sweep={"module.arguments.lr": (0.1, 0.3)})
    alone = Stack(experiment=together.experiment, runs=together.runs[-1:])
    rows = trained_stack(together).table
    own = rows[rows["run_id"].astype(str) == alone.runs[0].id].astype({"run_id": str, "metric": str})
    expected = trained_stack(alone).table.astype({"run_id": str, "metric": str})
    pd.testing.assert_frame_equal(own.reset_index(drop=True), expected)


def test_what_is_logged_arrives_under_the_names_of_the_arm_and_the_rest_under_its_own():
    trained = trained_stack(stack_of(num_seeds=1))
    names = {"train_loss_step", "train_loss_epoch", "val_acc", "validation_loss", "test_loss"}
    assert set(trained.table["metric"]) == names
    assert all(end == {"status": "completed", "diverged_at_step": None, "steps": 15} for end in trained.ends.values())


def test_a_run_without_a_finite_loss_ends_and_is_a_result():
    trained = trained_stack(stack_of(TRAINING.but({"module.arguments.lr": 1e30}), num_seeds=1))
    (end,) = trained.ends.values()
    assert end["status"] == "diverged"
    assert end["diverged_at_step"] < end["steps"] < 15
    assert pd.isna(list(values(trained.table, "validation_loss").values())[-1])


def test_an_interrupted_run_goes_on_to_the_same_numbers(tmp_path, monkeypatch):
    """Dropout and shuffled batches included; the run that was done before the halt is not trained again."""
    monkeypatch.setenv(SECONDS_BETWEEN, "0")
    callback = Instance(cls="tests.extending.lit:Halting", arguments={"flag": str(tmp_path / "flag"), "after": 2})
    stack = stack_of(TRAINING.but({"trainer.callbacks": (callback,)}))
    with pytest.raises(RuntimeError, match="power"):
        trained_stack(stack, state_dir=tmp_path)
    resumed = trained_stack(stack, state_dir=tmp_path)
    pd.testing.assert_frame_equal(resumed.table, trained_stack(stack).table)


def test_a_metric_that_is_never_logged_is_named():
    training = TRAINING.but(metrics={"val_los": VALIDATION})
    with pytest.raises(
        ValueError, match=r"Classifier: it must log 'val_los' with self.log, got \['test_loss', .*'val_acc"
    ):
        trained_stack(stack_of(training, num_seeds=1))


def test_costs_are_measured_where_they_are_not_stated(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    training = TRAINING.but(cost=None)
    assert (training.costs.num_batches, training.costs.num_parameters) == (5, 56)
    assert training.num_steps == 15
    assert training.costs.flops_per_step > 0
    stack = stack_of(training)
    assert workload_of(stack).num_updates == 30
    assert stack.runs[0].mode == "lightning"


def test_the_whole_way_from_a_plan_file_to_a_metrics_file(tmp_path):
    planned = make_plan(experiment(), scale="laptop")
    write_plans({planned.experiment.path: planned}, tmp_path)
    stack_id, stack = next(iter(planned.stacks.items()))
    out = tmp_path / "m.parquet"
    train_stack(
        plan_path=tmp_path / "plan/batch_norm/lit.json", stack_id=stack_id, output_path=out, state_dir=tmp_path / "s"
    )
    table, record = read_metrics(out)
    assert set(record["runs"]) == {run.id for run in stack.runs} == set(table["run_id"])
    assert not (tmp_path / "s").exists() or not list((tmp_path / "s").iterdir())


@pytest.mark.slow
def test_two_processes_share_a_run_through_the_strategy_of_lightning(tmp_path):
    training = TRAINING.but({"trainer.devices": 2, "trainer.strategy": "ddp"})
    planned = make_plan(experiment(training, num_seeds=1), scale="laptop")
    write_plans({planned.experiment.path: planned}, tmp_path)
    out = tmp_path / "m.parquet"
    train_stack(plan_path=tmp_path / "plan/batch_norm/lit.json", stack_id=next(iter(planned.stacks)), output_path=out)
    table, record = read_metrics(out)
    assert [end["steps"] for end in record["runs"].values()] == [9]  # 5 batches on one device are 3 on each of two
    assert (table["metric"] == "validation_loss").sum() == 3


def test_the_code_of_the_module_and_of_its_data_is_part_of_the_id(tmp_path, monkeypatch):
    folder = tmp_path / "own_lit"
    folder.mkdir()
    for name in ("module", "data"):
        (folder / f"{name}.py").write_text("class A: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    parts = {"module": Instance(cls="own_lit.module:A"), "datamodule": Instance(cls="own_lit.data:A")}
    ids = []
    for text in ("class A: pass\n", "class A: x = 1\n"):
        for name in ("module", "data"):
            (folder / f"{name}.py").write_text(text)
            source_files.cache_clear()
            ids.append(content_id(TRAINING.but(**parts)))
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"trainer": {}}, "trainer must say when to stop, by max_steps or max_epochs > 0, got {}."),
        ({"trainer.accelerator": "gpu"}, "trainer must not set 'accelerator', got"),
        ({"trainer.devices": "auto"}, "trainer's devices must be a whole number > 0"),
        ({"metrics": {}}, "metrics must name what claims read, got []"),
        ({"module.cls": "tests.extending.lit.Classifier"}, "be a class as 'package.module:Class'"),
        ({"cost.num_batches": 0}, "cost must say num_batches where the Trainer counts epochs"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(changes, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        TRAINING.but(changes)


def test_an_argument_that_the_constructor_does_not_take_is_named():
    with pytest.raises(ValueError, match=r"Classifier': its constructor must take the arguments, got .*'depth'"):
        trained_stack(stack_of(TRAINING.but({"module.arguments.depth": 3}), num_seeds=1))


def test_a_module_of_torch_is_told_where_it_belongs():
    training = TRAINING.but(
        module=Instance(cls="tests.extending.nets:Net", arguments={"num_inputs": 4, "num_outputs": 2})
    )
    with pytest.raises(ValueError, match=r"must be a LightningModule, got 'Net'; give a nn.Module to `Module"):
        trained_stack(stack_of(training, num_seeds=1))


LIGHTNING = {  # what the package `lightning` differs by: own classes, and environments that it does not import by itself
    "lightning/__init__.py": "from . import pytorch\n",
    "lightning/pytorch/__init__.py": """
import pytorch_lightning as pl
from pytorch_lightning import Callback, Trainer, loggers
from . import plugins

class LightningModule(pl.LightningModule):
    pass

class LightningDataModule(pl.LightningDataModule):
    pass
""",
    "lightning/pytorch/plugins/__init__.py": "",
    "lightning/pytorch/plugins/environments.py": "from pytorch_lightning.plugins.environments import *\n",
}


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    """A stand-in for the package `lightning`, and the module and data of `lit.py` written with it."""
    text = (
        (Path(__file__).parent / "lit.py")
        .read_text()
        .replace("import pytorch_lightning as pl", "from lightning import pytorch as pl")
    )
    for name, content in {**LIGHTNING, "written_with.py": text}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    yield "written_with"
    for name in [name for name in sys.modules if name.partition(".")[0] in ("lightning", "written_with")]:
        del sys.modules[name]


def test_a_module_of_the_package_lightning_ends_with_the_same_numbers(theirs):
    training = TRAINING.but(
        module=Instance(cls=f"{theirs}:Classifier", arguments={"width": 6}), datamodule=Instance(cls=f"{theirs}:Blobs")
    )
    found, expected = (
        values(trained_stack(stack_of(one, num_seeds=1)).table, "validation_loss") for one in (training, TRAINING)
    )
    assert list(found.values()) == list(expected.values())


def test_classes_of_both_packages_do_not_mix(theirs):
    training = TRAINING.but(module=Instance(cls=f"{theirs}:Classifier", arguments={"width": 6}))
    sentence = "datamodule must be of the module's package, lightning.pytorch, got 'pytorch_lightning'; import it from"
    with pytest.raises(ValueError, match=re.escape(sentence)):
        trained_stack(stack_of(training, num_seeds=1))
