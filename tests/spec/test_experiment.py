import collections
import dataclasses
import math

import pytest

from seven_terms.planning.stacks import runs_of
from seven_terms.spec import (
    Arm,
    Changes,
    Clipping,
    Digits,
    Experiment,
    Initialization,
    Mlp,
    Recurrent,
    Selection,
    Sgd,
    Stream,
    Training,
    read_path,
    replace_path,
    replace_paths,
)

TRAINING = Training(task=Digits(), model=Mlp(), num_steps=100, batch_size=10)
EXPERIMENT = Experiment(
    name="one",
    term="learning_rate",
    title="One",
    question="Does it work?",
    method="It is tried.",
    arms=(
        Arm(name="plain", label="plain", training=TRAINING),
        Arm(
            name="clipped", label="clipped", training=TRAINING, sweep={"clipping.norm": (0.5, 1.0)}, num_seeds=7,
        ),
    ),
    sweep={"optimizer.learning_rate": (0.1, 0.3)},
    scales={
        "smoke": Changes(
            num_seeds=2,
            training={"num_steps": 5},
            sweep={"optimizer.learning_rate": (0.1,), "clipping.norm": (1.0,)},
            probes=(Stream(),),
            arms={"clipped": {"model.width": 7}},
        ),
        "paper": Changes(without_arms=("plain",)),
    },
)  # fmt: skip


def test_a_path_reads_and_replaces_a_nested_field() -> None:
    changed = replace_path(TRAINING, "optimizer.learning_rate", 0.7)
    assert read_path(changed, "optimizer.learning_rate") == 0.7
    assert dataclasses.replace(changed, optimizer=Sgd()) == TRAINING


def test_several_paths_are_replaced_together() -> None:
    changed = replace_paths(TRAINING, {"num_steps": 3, "model.width": 8, "clipping": Clipping(norm=1.0)})
    assert (changed.num_steps, changed.model, changed.clipping.norm) == (3, Mlp(width=8), 1.0)


def test_a_misspelt_path_is_refused_with_the_fields_that_exist() -> None:
    with pytest.raises(ValueError) as refusal:
        replace_path(TRAINING, "optimizer.learning_rat", 0.7)
    assert str(refusal.value) == (
        "path 'optimizer.learning_rat': Sgd must have a field 'learning_rat', "
        "got ['learning_rate', 'momentum', 'weight_decay', 'nesterov', 'average_iterates']; try 'learning_rate'."
    )


def test_a_misspelt_sweep_fails_when_the_experiment_is_written() -> None:
    with pytest.raises(ValueError) as refusal:
        dataclasses.replace(EXPERIMENT, sweep={"clipping.normm": (1.0,)}, scales={})
    assert str(refusal.value) == (
        "path 'clipping.normm': Clipping must have a field 'normm', got ['norm', 'value', 'adaptive']; try 'norm'."
    )


def test_an_empty_sweep_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^Experiment: sweep must not be empty, got \(\) in \{'num_steps': \(\)\}\.$"):
        dataclasses.replace(EXPERIMENT, sweep={"num_steps": ()})


def test_the_laptop_scale_is_the_experiment_as_written() -> None:
    assert EXPERIMENT.at_scale("laptop") == dataclasses.replace(EXPERIMENT, scales={})


def test_a_scale_applies_its_changes_and_nothing_else() -> None:
    smoke = EXPERIMENT.at_scale("smoke")
    plain, clipped = smoke.arms
    assert smoke.num_seeds == 2
    assert [arm.num_seeds for arm in smoke.arms] == [None, None]
    assert smoke.probes == (Stream(),)
    assert smoke.sweep == {"optimizer.learning_rate": (0.1,)}
    assert clipped.sweep == {"clipping.norm": (1.0,)}
    assert plain.training == dataclasses.replace(TRAINING, num_steps=5)
    assert clipped.training == dataclasses.replace(TRAINING, num_steps=5, model=Mlp(width=7))


def test_a_scale_gives_seeds_to_all_arms_and_others_to_some() -> None:
    seeds = Changes(num_seeds=3, seeds={"plain": 9})
    more = dataclasses.replace(EXPERIMENT, scales={"full": seeds}).at_scale("full")
    assert (more.num_seeds, [arm.num_seeds for arm in more.arms]) == (3, [9, None])
    assert {name: len({run.seed for run in runs_of(more) if run.arm == name}) for name in ("plain", "clipped")} == {
        "plain": 9,
        "clipped": 3,
    }
    alone = dataclasses.replace(EXPERIMENT, scales={"full": Changes(seeds={"plain": 9})}).at_scale("full")
    assert [arm.num_seeds for arm in alone.arms] == [9, 7]


def test_seeds_of_an_arm_may_hold_at_one_swept_value_alone() -> None:
    rate = "optimizer.learning_rate"
    seeds = Changes(num_seeds=3, sweep={rate: (0.1, 0.2)}, seeds={"plain": 9}, seeds_at={rate: 0.2})
    more = dataclasses.replace(EXPERIMENT, scales={"full": seeds}).at_scale("full")
    numbers = collections.Counter(run.settings["learning_rate"] for run in runs_of(more) if run.arm == "plain")
    assert numbers == {0.1: 3, 0.2: 9}
    with pytest.raises(
        ValueError, match=r"seeds_at must name a value that is swept over.*got \{'optimizer.learning_rate': 7\}"
    ):
        dataclasses.replace(EXPERIMENT, scales={"full": dataclasses.replace(seeds, seeds_at={rate: 7})}).at_scale(
            "full"
        )
    with pytest.raises(ValueError, match="seeds_at must name a swept path"):
        dataclasses.replace(EXPERIMENT, scales={"full": dataclasses.replace(seeds, seeds_at={"model.width": 7})})


def test_a_scale_sweeps_some_arms_over_values_of_their_own() -> None:
    fields = {field.name: getattr(EXPERIMENT, field.name) for field in dataclasses.fields(EXPERIMENT)}
    given = {
        name: value
        for name, value in fields.items()
        if name not in ("name", "term", "scales", "noise_floor_arm", "noise_floor_at")
    }
    finer = Changes(arms={"plain": {"optimizer.learning_rate": (0.1, 0.2, 0.3), "model.width": 7}})
    plain, clipped = Experiment.here("mine.learning_rate.one", full=finer, **given).at_scale("full").arms
    assert (plain.sweep, plain.training) == (
        {"optimizer.learning_rate": (0.1, 0.2, 0.3)},
        dataclasses.replace(TRAINING, model=Mlp(width=7)),
    )
    assert clipped == EXPERIMENT.arms[1]


def test_a_scale_leaves_arms_out() -> None:
    assert [arm.name for arm in EXPERIMENT.at_scale("paper").arms] == ["clipped"]


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^scale: it must be one of .*, got 'tiny'\.$"):
        EXPERIMENT.at_scale("tiny")  # type: ignore[arg-type]


def test_an_experiment_can_be_skipped_at_a_scale() -> None:
    skipping = dataclasses.replace(EXPERIMENT, scales={"smoke": Changes(skip=True)})
    assert not skipping.runs_at("smoke")
    assert skipping.runs_at("paper")


def test_arms_of_equal_name_are_refused() -> None:
    twice = (EXPERIMENT.arms[0], EXPERIMENT.arms[0])
    with pytest.raises(ValueError, match=r"arm names must be unique, got \['plain'\]; rename the repeated ones\.$"):
        dataclasses.replace(EXPERIMENT, arms=twice)


def test_specs_are_values() -> None:
    assert Recurrent() == Recurrent()
    assert hash(Initialization(scale=math.pi)) == hash(Initialization(scale=math.pi))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sgd().learning_rate = 1.0  # type: ignore[misc]


def test_the_noise_floor_may_be_trained_at_one_swept_value_that_follows_the_scale() -> None:
    rate = "optimizer.learning_rate"
    measured = dataclasses.replace(EXPERIMENT, probes=(Stream(),), selection=Selection(metric="batch_loss"))
    experiment = dataclasses.replace(measured, noise_floor_arm="plain", noise_floor_at={rate: 0.3})
    again = [run for run in runs_of(experiment) if run.arm == "plain_again"]
    assert [run.settings["learning_rate"] for run in again] == [0.3] * experiment.num_seeds
    assert experiment.at_scale("smoke").noise_floor_at == {rate: 0.1}
    with pytest.raises(ValueError, match=r"noise_floor_at must name a value that noise_floor_arm sweeps over"):
        dataclasses.replace(measured, noise_floor_arm="plain", noise_floor_at={rate: 0.2})
