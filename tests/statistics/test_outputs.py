"""Files in, files out: claims, verdicts corrected over all experiments, the noise floor and the list of runs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from seven_terms.planning import write_plan
from seven_terms.records.plans import Plan
from seven_terms.records.runs import Run
from seven_terms.records.tables import read_csv
from seven_terms.spec import (
    Above,
    Below,
    Claim,
    Experiment,
    Last,
    PairedDifference,
    Proportion,
    Selected,
    WorstDeviation,
)
from seven_terms.statistics import list_runs, replicate, summarize, verdicts
from seven_terms.statistics.outputs import claims_of

from .synthetic import make_experiment, make_results, write_results

DIFFERENCE = PairedDifference(measure=Last("test_loss"), runs=Selected("a"), baseline=Selected("b"))


def claim(name: str, **changes: object) -> Claim:
    fields = {
        "id": name,
        "statement": "s",
        "source": "here",
        "estimate": DIFFERENCE,
        "rule": Below(0.0),
        "unit": "nats",
        "because": "it is",
    }
    return Claim(**{**fields, **changes})  # type: ignore[arg-type]


def record(run: Run) -> dict:
    noise = float(np.random.default_rng(run.seed + 1000 * ord(run.arm[0])).normal(0, 0.1))
    return {"validation_loss": 1.0, "test_loss": noise + (1.0 if run.arm == "b" else 0.0)}


def finish(results_dir: Path, experiment: Experiment, **options: object) -> Plan:
    plan = write_results(experiment, record, results_dir / "metrics" / experiment.path, **options)  # type: ignore[arg-type]
    write_plan(experiment, results_dir / "plan" / f"{experiment.path}.json", scale="laptop")
    summarize(
        plan,
        results_dir / "metrics" / experiment.path,
        summary_path=results_dir / "summary" / f"{experiment.path}.csv",
        claims_path=results_dir / "claims" / f"{experiment.path}.csv",
    )
    return plan


def test_verdicts_are_corrected_by_family_over_all_experiments_and_exact_claims_are_not(tmp_path: Path) -> None:
    exact = WorstDeviation(measure=Last("test_loss"), expected=0.0, runs=(Selected("a"),), absolute=True)
    first = make_experiment(
        num_seeds=4, claims=(claim("X1"), claim("X2", rule=Above(0.0)), claim("X3", estimate=exact, rule=Below(10.0)))
    )
    second = dataclasses.replace(
        first,
        name="other",
        claims=(claim("X1", form="fair", condition="sometimes"), claim("X4", rule=Below(-0.85)), claim("B-X5")),
    )
    finish(tmp_path, first)
    finish(tmp_path, second)
    verdicts(tmp_path, tmp_path / "verdicts.csv")
    table = read_csv(tmp_path / "verdicts.csv", kind="verdicts").set_index("claim")
    assert len(table) == 6
    assert table["family"].to_dict()["B-X5"] == "lr_schedule"
    assert table.loc["B-X5", "p_holm"] == table.loc["B-X5", "p_value"]
    assert (table.loc["B-X5", "low"], table.loc["B-X5", "num_tests"]) == (table.loc["B-X5", "low_alone"], 1)
    assert table.loc["X2", "verdict"] == "refuted"
    assert table.loc["X3", "verdict"] == "supported"
    assert np.isnan(table.loc["X3", "p_value"])
    assert sorted(table.loc["X1", "verdict"]) == ["conditional", "supported"]
    family = table[table["p_value"].notna() & (table["family"] == "primary")]
    assert (family["low"] <= family["low_alone"]).all()
    assert (family["p_holm"] >= family["p_value"]).all()
    assert family["p_holm"].min() == pytest.approx(min(1.0, 4 * family["p_value"].min()))
    assert set(table["rule"]) == {"below 0", "above 0", "below 10", "below -0.85"}


def test_a_decision_that_the_family_does_not_bear_becomes_inconclusive(tmp_path: Path) -> None:
    def close(run: Run) -> dict:
        return {
            "validation_loss": 1.0,
            "test_loss": 0.1 * run.seed if run.arm == "a" else 0.1 * run.seed + (3, 4, 5)[run.seed],
        }

    many = tuple(claim(f"X{i}", rule=Below(-0.1)) for i in range(5))
    for claims, verdict in ((many[:1], "supported"), (many, "inconclusive")):
        experiment = make_experiment(claims=claims)
        plan = write_results(experiment, close, tmp_path / "metrics" / experiment.path)
        write_plan(experiment, tmp_path / "plan" / f"{experiment.path}.json", scale="laptop")
        claims_path = tmp_path / "claims" / f"{experiment.path}.csv"
        summarize(
            plan, tmp_path / "metrics" / experiment.path, summary_path=tmp_path / "s.csv", claims_path=claims_path
        )
        verdicts(tmp_path, tmp_path / "verdicts.csv")
        assert set(read_csv(tmp_path / "verdicts.csv", kind="verdicts")["verdict"]) == {verdict}


def test_the_noise_floor_compares_an_arm_with_itself_and_other_seeds(tmp_path: Path) -> None:
    finish(tmp_path, make_experiment(noise_floor_arm="b", claims=(claim("X1"),)))
    verdicts(tmp_path, tmp_path / "verdicts.csv")
    assert read_csv(tmp_path / "verdicts.csv", kind="verdicts")["claim"].tolist() == ["X1"]
    (row,) = read_csv(tmp_path / "noise_floor.csv", kind="noise_floor").to_dict("records")
    assert (row["experiment"], row["metric"], row["num_runs"]) == ("lr_schedule/made_up", "test_loss", 6)
    assert row["low"] < row["difference"] < row["high"]


def test_the_noise_floor_uses_the_setting_selected_for_the_arm_itself(tmp_path: Path) -> None:
    def record(run: Run) -> dict:
        best = 0.2 if run.arm.endswith("_again") else 0.1
        rate = run.settings["learning_rate"]
        return {"validation_loss": abs(rate - best), "test_loss": rate + 1e-3 * (run.seed % 10)}

    experiment = make_experiment("a", noise_floor_arm="a", sweep={"optimizer.learning_rate": (0.1, 0.2)})
    row = claims_of(make_results(experiment, record)).iloc[-1]
    assert row["effect"] == pytest.approx(0.0, abs=1e-12)


def test_the_noise_floor_compares_at_the_one_value_it_was_trained_at() -> None:
    def record(run: Run) -> dict:
        rate = run.settings["learning_rate"]
        return {"validation_loss": rate, "test_loss": rate + 1e-3 * (run.seed % 10)}

    rate = "optimizer.learning_rate"
    experiment = make_experiment("a", noise_floor_arm="a", noise_floor_at={rate: 0.2}, sweep={rate: (0.1, 0.2)})
    row = claims_of(make_results(experiment, record)).iloc[-1]
    assert (row["effect"], row["num_runs"]) == (pytest.approx(0.0, abs=1e-12), 6)


def test_a_missing_run_is_refused_with_the_exact_sentence(tmp_path: Path) -> None:
    experiment = make_experiment()
    plan = finish(tmp_path, experiment)
    stack_id, stack = next(iter(plan.stacks.items()))
    (tmp_path / "metrics" / experiment.path / f"{stack_id}.parquet").unlink()
    lost = ", ".join(sorted(run.id for run in stack.runs)[:3])
    sentence = (
        f"metrics of 'made_up': all {len(plan.runs)} runs must be there, "
        f"got '{len(stack.runs)} missing: {lost}'; run `make report` again to train them."
    )
    with pytest.raises(ValueError) as summarizing:
        finish_again(tmp_path, plan)
    assert str(summarizing.value) == sentence
    with pytest.raises(ValueError) as listing:
        list_runs(tmp_path, tmp_path / "runs.csv")
    assert str(listing.value) == sentence


def finish_again(results_dir: Path, plan: Plan) -> None:
    summarize(
        plan,
        results_dir / "metrics" / plan.experiment.path,
        summary_path=results_dir / "summary.csv",
        claims_path=results_dir / "claims.csv",
    )


def test_a_claim_that_cannot_be_estimated_is_named(tmp_path: Path) -> None:
    broken = Proportion(measure=Last("test_loss"), runs=Selected("a"))
    with pytest.raises(
        ValueError, match=r"^claim 'X1 .fair.': proportion of .*: the measure must be 0 or 1 in every run"
    ):
        finish(tmp_path, make_experiment(claims=(claim("X1", form="fair", estimate=broken),)))


def test_claims_that_were_not_made_yet_are_refused(tmp_path: Path) -> None:
    write_plan(make_experiment(), tmp_path / "plan/lr_schedule/made_up.json", scale="laptop")
    with pytest.raises(
        ValueError, match=r"claims of 'made_up': .* must exist, got 'no file'; run `seven-terms summarize`"
    ):
        verdicts(tmp_path, tmp_path / "verdicts.csv")


def test_runs_are_listed_with_their_end_and_their_sweep_values(tmp_path: Path) -> None:
    experiment = make_experiment("a", sweep={"optimizer.learning_rate": (0.1, 0.2)}, num_seeds=2)
    plan = finish(tmp_path, experiment, diverged=lambda run: run.settings["learning_rate"] == 0.2)
    list_runs(tmp_path, tmp_path / "runs.csv")
    table = read_csv(tmp_path / "runs.csv", kind="runs").set_index("run_id")
    assert set(table.index) == set(plan.runs)
    stopped = table[table["sweep_learning_rate"] == 0.2]
    assert set(stopped["status"]) == {"diverged"}
    assert set(stopped["diverged_at_step"]) == {40}
    finished = table[table["sweep_learning_rate"] == 0.1]
    assert finished["diverged_at_step"].isna().all()
    assert set(finished["steps"]) == {100}
    assert json.loads(finished["settings"].iloc[0]) == {"learning_rate": 0.1}
    timing = read_csv(tmp_path / "timing.csv", kind="timing")
    assert timing["duration_seconds"].sum() == pytest.approx(6.0 * len(plan.stacks))
    assert set(timing["stack"]) == set(plan.stacks) == set(table["stack"])
    assert set(table["commit"]) == {"abc"}


def test_a_claim_names_its_seeds_its_lost_runs_and_the_settings_selected_for_each_arm() -> None:
    def record(run: Run) -> dict:
        rate = run.settings["learning_rate"]
        lost = run.arm == "b" and run.seed == 1
        return {"validation_loss": abs(rate - (0.2 if run.arm == "a" else 0.1)), "test_loss": np.nan if lost else 1.0}

    rate = "optimizer.learning_rate"
    best = {name: Selected(name, best=("learning_rate",)) for name in "ab"}
    estimate = dataclasses.replace(DIFFERENCE, runs=best["a"], baseline=best["b"])
    exact = WorstDeviation(measure=Last("test_loss"), expected=1.0, runs=(Selected("a"),))
    claims = (claim("X1", estimate=estimate), claim("X2", estimate=exact))
    experiment = make_experiment(sweep={rate: (0.1, 0.2)}, claims=claims)
    results = make_results(experiment, record, diverged=lambda run: run.arm == "a" and run.seed == 2)
    first, second = claims_of(results).to_dict("records")
    assert json.loads(first["selected"]) == {"a": {rate: 0.2}, "b": {rate: 0.1}}
    assert json.loads(second["selected"]) == {"a": {}}
    counts = ("num_runs", "num_seeds", "num_undefined", "num_diverged")
    assert [first[name] for name in counts] == [6, 3, 1, 1]
    assert np.isnan(second["num_seeds"])


def test_a_second_set_that_lies_beside_the_verdicts_is_read_before_it_is_written(tmp_path: Path) -> None:
    finish(tmp_path, make_experiment(claims=(claim("X1"),)))
    beside = tmp_path / "replication.csv"
    replicate(tmp_path, tmp_path, beside)
    verdicts(tmp_path, tmp_path / "verdicts.csv", replication_path=beside)
    assert list(read_csv(beside, kind="replication")["claim"]) == ["X1"]
    verdicts(tmp_path, tmp_path / "verdicts.csv")
    assert not beside.is_file()
