"""The experiments themselves: complete, planned at every scale, unique in all that names a file."""

from __future__ import annotations

import math
import re
from collections import Counter

import pytest

from experiments import EXPERIMENTS
from seven_terms.planning.selection import plans_at
from seven_terms.planning.stacks import num_gpus, runs_of, stacks_of, workload_of
from seven_terms.spec import SCALES, TERMS, WorstDeviation, selections_in

ARTICLE = {"LR": 5, "SC": 2, "DE": 2, "VG": 5, "EG": 2, "BN": 6, "GC": 4}  # the article's statements by term
BY_SCALE = [(experiment, scale) for experiment in EXPERIMENTS for scale in SCALES if experiment.runs_at(scale)]


@pytest.mark.parametrize(("experiment", "scale"), BY_SCALE, ids=lambda value: getattr(value, "path", value))
def test_every_run_has_one_place_in_one_stack(experiment, scale):
    scaled = experiment.at_scale(scale)
    runs = [run.id for run in runs_of(scaled)]
    stacked = [run.id for stack in stacks_of(scaled) for run in stack.runs]
    assert sorted(runs) == sorted(stacked)
    assert len(set(runs)) == len(runs) > 0


def test_every_statement_of_the_article_is_judged_at_laptop_scale():
    judged = {claim.id for claim in laptop_claims()}
    article = {f"{prefix}{number}" for prefix, count in ARTICLE.items() for number in range(1, count + 1)}
    assert article <= judged


def test_at_least_twenty_five_statements_of_papers_and_folklore_are_judged_at_laptop_scale():
    assert len({claim.id for claim in laptop_claims() if claim.id.startswith("B-")}) >= 25


def test_every_term_has_experiments_in_order_and_one_panel_for_the_summary():
    assert [term for term in TERMS if any(e.term == term for e in EXPERIMENTS)] == list(TERMS)
    order = [TERMS.index(experiment.term) for experiment in EXPERIMENTS]
    assert order == sorted(order)
    for term in TERMS:
        figures = [f for e in EXPERIMENTS if e.term == term and e.runs_at("laptop") for f in e.figures]
        assert sum(figure.summary is not None for figure in figures) == 1, term


# Sentences that several experiments ask, each in a form of its own.
ASKED_IN_SEVERAL = {
    "B-BN7",
    "B-DE1",
    "B-DE3",
    "B-EG2",
    "B-GC1",
    "B-GC2",
    "B-GC3",
    "B-GC6",
    "B-LR5",
    "B-SC1",
    "B-SC2",
    "B-SC4",
    "B-SC6",
    "B-SC7",
    "B-SC8",
    "B-VG5",
    "BN1",
    "BN6",
    "DE2",
    "GC2",
    "LR2",
    "LR4",
    "VG4",
    "VG5",
}


def test_an_id_stands_for_one_sentence():
    asked = {(claim.id, experiment.path) for experiment in EXPERIMENTS for claim in experiment.claims}
    counts = Counter(name for name, _ in asked)
    assert {name for name, count in counts.items() if count > 1} == ASKED_IN_SEVERAL


def test_a_doubtful_statement_is_tested_as_said_and_in_its_fair_form():
    forms: dict[str, set[str]] = {}
    for claim in laptop_claims():
        forms.setdefault(claim.id, set()).add(re.sub(r",.*", "", claim.form))
    doubtful = ["B-LR2", "B-SC2", "B-SC5", "B-DE2", "B-VG4", "B-VG5", "B-EG1", "B-EG3", "B-BN1", "B-BN3"]
    lacking = {key: forms.get(key) for key in doubtful if not {"as said", "fair"} <= forms.get(key, set())}
    assert not lacking


def test_scale_full_has_as_many_seeds_of_every_arm_as_laptop_and_the_same_claims_and_more():
    for experiment in EXPERIMENTS:
        if experiment.runs_at("laptop"):
            laptop, full = (experiment.at_scale(scale) for scale in ("laptop", "full"))
            assert {claim.key for claim in laptop.claims} <= {claim.key for claim in full.claims}
            more = {arm.name: arm.num_seeds or full.num_seeds for arm in full.arms}
            assert all(more[arm.name] >= (arm.num_seeds or laptop.num_seeds) for arm in laptop.arms), experiment.path


@pytest.mark.parametrize("scale", [scale for scale in SCALES if scale != "smoke"])
def test_arms_that_a_claim_compares_are_tuned_over_as_many_settings(scale):
    for experiment in (one.at_scale(scale) for one in EXPERIMENTS if one.runs_at(scale)):
        sweeps = {arm.name: {**experiment.sweep, **arm.sweep} for arm in experiment.arms}
        for claim in experiment.claims:
            tuned = [one for one in selections_in(claim.estimate) if one.best and not one.best_of]
            searched = {
                math.prod(
                    len(values)
                    for path, values in sweeps[one.arm].items()
                    if not {path, path.rpartition(".")[2]} & set(one.where)
                )
                for one in tuned
            }
            assert len(searched) <= 1, f"{experiment.path}, {claim.key}: {searched}"


def test_sampled_experiments_measure_their_noise_floor():
    without = [
        experiment.path
        for experiment in EXPERIMENTS
        if experiment.num_seeds > 1 and experiment.noise_floor_arm is None and experiment.runs_at("laptop")
        if any(not is_exact(claim.estimate) for claim in experiment.claims)
    ]
    assert without == [], "each of these needs noise_floor=arm.at(...) in its Experiment.here"


def is_exact(estimate):
    return isinstance(estimate, WorstDeviation) and not estimate.mean_over_seeds


def laptop_claims():
    return [c for e in EXPERIMENTS if e.runs_at("laptop") for c in e.at_scale("laptop").claims]


def modes_of(scale, name, compiling):
    plan = plans_at(EXPERIMENTS, scale, compiling=compiling, only=name)[name]
    return {run.mode for stack in plan.stacks.values() for run in stack.runs}


def test_what_a_processors_kernels_train_asks_for_no_gpu(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    gpus = {}
    for how in ("auto", "torch"):
        plans = plans_at(EXPERIMENTS, "paper", compiling=how, only="batch_norm/mnist_2015 batch_norm/devices")
        gpus[how] = {path: {num_gpus(stack) for stack in plan.stacks.values()} for path, plan in plans.items()}
    assert gpus["auto"] == {"batch_norm/mnist_2015": {0}, "batch_norm/devices": {1, 4}}
    assert gpus["torch"] == {"batch_norm/mnist_2015": {1}, "batch_norm/devices": {1, 4}}


def test_each_program_has_the_mode_that_suits_it(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert modes_of("laptop", "batch_norm/mnist_2015", "auto") == {"native"}
    assert modes_of("paper", "batch_norm/mnist_2015", "torch") == {"eager"}  # whose updates are graphs on a GPU
    assert modes_of("paper", "gradient_clipping/temporal_order", "auto") == {"native"}
    assert modes_of("paper", "gradient_clipping/temporal_order", "torch") == {"eager"}  # a loop over time
    assert modes_of("paper", "lr_schedule/budgets", "auto") == {"serial"}  # large convolutions
    assert modes_of("laptop", "learning_rate/quadratics", "auto") == {"native"}
    assert modes_of("laptop", "lr_schedule/recipe", "auto") == {"native"}  # convolutions and attention
    for scale in ("laptop", "full"):  # averages of weights, and parts of a net
        assert modes_of(scale, "lr_schedule/averaging", "auto") == {"native"}
        assert modes_of(scale, "batch_norm/gain_and_shift", "auto") == {"native"}
    assert modes_of("paper", "vanishing_gradient/adding", "auto") == {"native", "eager"}  # large ones are PyTorch's


def test_a_plan_for_gpus_has_the_same_runs_in_fewer_stacks_that_fit_into_memory(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)  # it needs no compiler
    names = "batch_norm/mnist_2015 learning_rate/early_curvature lr_decay/step_drop"
    few, many = (plans_at(EXPERIMENTS, "paper", compiling=how, only=names) for how in ("torch", "never"))
    for name, plan in few.items():
        assert set(plan.runs) == set(many[name].runs)
        assert len(plan.stacks) < len(many[name].stacks)
        assert all(workload_of(stack).memory_bytes < 2e10 for stack in plan.stacks.values())
    assert len(few["batch_norm/mnist_2015"].stacks) == 2  # its programs


def test_without_compiling_every_run_is_eager(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    no_compiler = plans_at(EXPERIMENTS, "paper")["batch_norm/mnist_2015"]
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    plans = [plans_at(EXPERIMENTS, "paper", compiling=how)["batch_norm/mnist_2015"] for how in ("never", "auto")]
    assert set(no_compiler.runs) == set(plans[0].runs)
    assert not set(plans[0].runs) & set(plans[1].runs)
