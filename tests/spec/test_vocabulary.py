"""The words of an experiment: arms as values, one spelling of a setting, labels by default."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seven_terms import spec
from seven_terms.spec import (
    Above,
    Arm,
    Below,
    Changes,
    Claim,
    Clipping,
    Combine,
    Digits,
    Evaluate,
    Experiment,
    Figure,
    Last,
    Mlp,
    PairedDifference,
    Panel,
    Ranked,
    Reached,
    Selected,
    Slope,
    SweepCurve,
    Training,
    Within,
    all_runs,
    best_runs,
    by_name,
    curve,
    figure,
    sweep_curve,
)

RATE, DEPTH = "optimizer.learning_rate", "model.depth"
TRAINING = Training(task=Digits(), model=Mlp(), num_steps=10, batch_size=4)
plain = Arm(name="plain", label="no clipping", training=TRAINING)
norm = Arm(name="norm", label="clip by norm", training=TRAINING, sweep={"clipping.norm": (0.3, 1.0)})


def claim(runs, baseline):
    estimate = PairedDifference(measure=Last("test_loss"), runs=runs, baseline=baseline)
    return Claim(id="A", statement="s", source="s", estimate=estimate, rule=Above(0.0), unit="u", because="b")


def experiment(**fields):
    common = {"title": "t", "question": "q", "method": "m", "arms": (plain, norm), "probes": (Evaluate(),)}
    return Experiment.here("experiments.batch_norm.parts", **common, sweep={RATE: (0.1, 0.2), DEPTH: (2, 3)}, **fields)


def test_term_and_name_are_the_last_two_parts_of_the_modules_name():
    assert experiment().path == "batch_norm/parts"


def test_best_without_names_chooses_all_that_the_arm_sweeps_and_at_does_not_fix():
    estimate = experiment(claims=(claim(norm.best(at={DEPTH: 3}), plain.best(DEPTH)),)).claims[0].estimate
    assert estimate.runs == Selected("norm", where={"depth": 3}, best=("learning_rate", "norm"))
    assert estimate.baseline == Selected("plain", best=("depth",))


def test_at_the_best_of_another_arm_are_the_settings_that_the_other_arm_sweeps():
    made = experiment(claims=(claim(norm.at_best_of(plain, times=2.0), plain.at({DEPTH: Ranked(0)})),))
    assert made.claims[0].estimate.runs == Selected("norm", best=("learning_rate", "depth"), best_of="plain", times=2.0)
    assert made.claims[0].estimate.baseline == Selected("plain", where={"depth": Ranked(0)})


def test_a_setting_that_the_holder_varies_is_not_chosen():
    panel = sweep_curve("p", Last("test_loss"), best_runs(plain, norm), over=RATE)
    made = experiment(figures=(Figure(name="f", caption="c", panels=(panel,)),)).figures[0].panels[0]
    assert made.content == SweepCurve(
        measure=Last("test_loss"),
        over="learning_rate",
        runs={
            "no clipping": Selected("plain", best=("depth",)),
            "clip by norm": Selected("norm", best=("depth", "norm")),
        },
    )


def test_labels_are_those_of_arms_metrics_and_swept_settings():
    made = sweep_curve("p", Last("test_loss"), all_runs(plain), over=RATE)
    assert (made.x_label, made.y_label, made.log_x) == ("learning rate", "test loss", True)
    made = curve("p", "gradient_norm", all_runs(plain, norm))
    assert (made.x_label, made.y_label) == ("step", "gradient norm")
    assert list(made.content.runs) == ["no clipping", "clip by norm"]
    made = sweep_curve("p", Reached(Last("test_loss"), below=1.0), all_runs(plain), over=DEPTH)
    assert (made.y_label, made.y_limits, made.log_x) == ("share of runs", (-0.03, 1.03), False)
    assert Arm("batch_norm", TRAINING).label == "batch norm"


def test_axes_change_what_is_given_and_nothing_else():
    panel = sweep_curve("p", Last("test_loss"), all_runs(plain), over=RATE)
    made = panel.axes(y="loss", log="xy", y_limits=(0.0, None))
    assert made == replace(panel, y_label="loss", log_y=True, y_limits=(0.0, None))
    assert panel.axes(log="").log_x is False


def test_a_short_claim_is_the_long_one():
    estimate = PairedDifference(Last("test_loss"), norm.best(), plain.best())
    short = spec.claim("A (fair)", "s", estimate.above(0.0), source="x", unit="u", because="b", scales=("full",))
    fields = {"statement": "s", "source": "x", "unit": "u", "because": "b", "scales": ("full",)}
    assert short == Claim(id="A", form="fair", estimate=estimate, rule=Above(0.0), **fields)
    assert estimate.below(1.0).rule == Below(1.0)
    assert estimate.within(0.0, 1.0).rule == Within(0.0, 1.0)
    with pytest.raises(
        ValueError, match=r"^claim 'A': a rule must decide it, as in `estimate.above\(0.0\)`, got Paired"
    ):
        spec.claim("A", "s", estimate, source="x", unit="u", because="b")  # pyright: ignore[reportArgumentType]


def test_a_short_figure_is_the_long_one():
    panel = curve("p", "test_loss", all_runs(plain))
    assert figure("f", "c", panel, panel, key=1) == Figure(name="f", caption="c", panels=(panel, panel), key=1)


def test_a_single_claim_figure_or_probe_needs_no_tuple():
    panel = curve("p", "test_loss", all_runs(plain))
    made = experiment(claims=claim(norm.best(), plain.at()), figures=figure("f", "c", panel))
    assert made == experiment(claims=(claim(norm.best(), plain.at()),), figures=(figure("f", "c", panel),))


def test_arms_may_be_a_mapping_from_their_names():
    texts = {"title": "t", "question": "q", "method": "m"}
    made = [Experiment.here("a.b", **texts, arms=arms) for arms in (by_name((plain, norm)), (plain, norm))]
    assert made[0] == made[1]


def test_a_scale_takes_swept_values_and_the_training_in_one_mapping():
    made = experiment(smoke=Changes({RATE: (0.1,), "num_steps": 5, DEPTH: 2}, num_seeds=2), paper=Changes(skip=True))
    smoke = Changes({"num_steps": 5, DEPTH: 2}, sweep={RATE: (0.1,)}, num_seeds=2)
    assert made.scales == {"smoke": smoke, "paper": Changes(skip=True)}


def test_a_label_must_be_given_where_no_metric_has_one():
    panel = sweep_curve("loss", Combine("log", Last("test_loss")), all_runs(plain), over=RATE)
    message = (
        r"^figure 'f': the y axis must say what is measured, got \['loss'\]; add .axes\(y=\"...\"\) to the panel.$"
    )
    with pytest.raises(ValueError, match=message):
        figure("f", "c", panel)
    assert figure("f", "c", panel.axes(y="log loss")).panels[0].y_label == "log loss"


@pytest.mark.parametrize(
    "wrong",
    [
        {"claims": (claim(plain.at({"depth": 3}), plain.at()),)},
        {"claims": (claim(plain.best("depth"), plain.at()),)},
        {"figures": (Figure(name="f", caption="c", panels=(sweep_curve("p", Last("x"), all_runs(plain), over="depth"),)),)},
    ],
)  # fmt: skip
def test_the_last_part_of_a_swept_path_is_refused(wrong):
    with pytest.raises(ValueError, match=r"must be spelt as in its sweep, got .depth.; write .model\.depth."):
        experiment(**wrong)


def test_making_an_experiment_again_changes_nothing():
    slope = Slope(measure=Last("test_loss"), over=DEPTH, runs=(norm.best(),), argbest=RATE)
    made = experiment(claims=(claim(norm.best(), plain.at()), Claim(id="B", statement="s", source="s", estimate=slope,
                      rule=Above(0.0), unit="u", because="b")))  # fmt: skip
    scaled = made.at_scale("laptop")
    assert scaled.claims == made.claims
    assert made.claims[1].estimate.over == "depth"
    assert made.claims[1].estimate.argbest == "learning_rate"


def test_the_noise_floor_is_an_arm_at_one_value_of_a_sweep():
    made = experiment(noise_floor=plain.at({RATE: 0.1}))
    assert (made.noise_floor_arm, dict(made.noise_floor_at)) == ("plain", {RATE: 0.1})
    assert experiment(noise_floor=norm).noise_floor_arm == "norm"


def test_a_training_but_for_fields_and_paths():
    changed = TRAINING.but({DEPTH: 7}, clipping=Clipping(norm=1.0), model=Mlp(width=9))
    assert changed == Training(
        task=Digits(), model=Mlp(width=9, depth=7), clipping=Clipping(norm=1.0), num_steps=10, batch_size=4
    )
    with pytest.raises(ValueError, match="'dept'"):
        TRAINING.but({"model.dept": 7})


def test_one_import_brings_every_kind_and_word_and_nothing_else():
    brought = {name: getattr(spec, name) for name in spec.__all__}
    assert {"Claim", "Panel", "sweep_curve", "Arm", "Task", "Activation", "Linear"} <= set(brought)
    assert not {"dataclass", "Any", "field", "claims", "types"} & set(brought)
    assert brought["Panel"] is Panel
