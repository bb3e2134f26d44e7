"""Summaries: the rows of each kind of panel, by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seven_terms.records.runs import Run
from seven_terms.records.tables import SUMMARY
from seven_terms.spec import (
    Arm,
    Bars,
    Cloud,
    Constant,
    Content,
    Cosine,
    Curve,
    Diverged,
    Figure,
    Heatmap,
    Last,
    Panel,
    Reference,
    Selected,
    Setting,
    StepsTo,
    Survival,
    SweepCurve,
)
from seven_terms.statistics.results import Results
from seven_terms.statistics.summary import summary_of

from .synthetic import TRAINING, make_experiment, make_results

RATES = (0.1, 0.2, 0.4)
SWEEP = {"optimizer.learning_rate": RATES, "schedule": (Constant(), Cosine())}
FIXED = Selected("a", where={"schedule": Constant(), "learning_rate": 0.1})
BEST = Selected("a", where={"schedule": Constant()}, best=("learning_rate",))


def record(run: Run) -> dict:
    rate = run.settings["learning_rate"]
    level = 10.0**run.seed
    steps = {0: level, 50: 2 * level, 100: 4 * level}
    steps = {0: level, 50: 2 * level} if stopped(run) else steps
    return {
        "loss": steps,
        "low": {step: value - 1 for step, value in steps.items()},
        "high": {step: value + 2 for step, value in steps.items()},
        "layer": {(step, layer): level + layer + step for step in (0, 100) for layer in (0, 1)},
        "validation_loss": rate,
        "test_loss": rate + run.seed,
        "reaches": {0: 5.0, 10 * (1 + run.seed): 0.0} if run.seed < 2 else {0: 5.0},
    }


def stopped(run: Run) -> bool:
    return run.settings["learning_rate"] == 0.4 and run.seed == 1


def rows_of(content: Content, **panel: Any) -> pd.DataFrame:
    """Return the summary rows of one panel over the made-up experiment."""
    fields = {"title": "t", "x_label": "x", "y_label": "y", **panel}
    figure = Figure(name="f", caption="c", panels=(Panel(content=content, **fields),))
    experiment = make_experiment(arms=(Arm(name="a", label="a", training=TRAINING, sweep=SWEEP),), figures=(figure,))
    return summary_of(make_results(experiment, record, diverged=stopped))


def interval(values: list[float]) -> tuple[float, float, float]:
    reach = 4.302652729749464 * np.std(values, ddof=1) / math.sqrt(3)
    return float(np.mean(values)), float(np.mean(values)) - reach, float(np.mean(values)) + reach


def numbers(row: pd.Series) -> tuple[float, ...]:
    return tuple(float(row[name]) for name in ("value", "low", "high"))


def test_a_curve_has_mean_and_t_interval_at_each_step() -> None:
    rows = rows_of(Curve(metric="loss", runs={"A": FIXED}))
    assert tuple(rows.columns) == tuple(SUMMARY)
    assert rows["x"].tolist() == [0, 50, 100]
    assert numbers(rows.iloc[1]) == pytest.approx(interval([2.0, 20.0, 200.0]))
    assert set(rows["num_runs"]) == {3}
    assert set(rows["series"]) == {"A"}


def test_on_a_logarithmic_axis_mean_and_interval_are_geometric() -> None:
    rows = rows_of(Curve(metric="loss", runs={"A": FIXED}), log_y=True)
    expected = np.exp(interval([math.log(2.0), math.log(20.0), math.log(200.0)]))
    assert numbers(rows.iloc[1]) == pytest.approx(tuple(expected))


def test_a_curve_may_split_by_a_sweep_and_ends_where_a_run_diverges() -> None:
    rows = rows_of(Curve(metric="loss", runs={"A": Selected("a", where={"schedule": Cosine()})}, by="learning_rate"))
    assert list(dict.fromkeys(rows["series"])) == [f"A, learning rate = {rate}" for rate in RATES]
    ends = rows[rows["x"] == 100].set_index("series")["value"]
    assert math.isnan(ends["A, learning rate = 0.4"])
    assert ends["A, learning rate = 0.1"] == pytest.approx(4 * 37)


def test_a_curve_over_the_index_is_taken_at_its_step() -> None:
    first = rows_of(Curve(metric="layer", runs={"A": FIXED}, over="index", index=None))
    assert first["value"].tolist() == pytest.approx([37.0, 38.0])
    late = rows_of(Curve(metric="layer", runs={"A": FIXED}, over="index", step=90, index=None))
    assert late["value"].tolist() == pytest.approx([137.0, 138.0])


def test_quantiles_are_over_seeds_and_indexes_and_seeds_are_rows_of_their_own() -> None:
    quantiles = rows_of(Curve(metric="layer", runs={"A": FIXED}, band="quantiles"))
    expected = np.quantile([1, 2, 10, 11, 100, 101], (0.5, 0.15, 0.85))
    assert numbers(quantiles.iloc[0]) == pytest.approx(tuple(expected))
    seeds = rows_of(Curve(metric="loss", runs={"A": FIXED}, band="seeds"))
    assert seeds[seeds["x"] == 50][["y", "value"]].to_numpy().tolist() == [[0, 2], [1, 20], [2, 200]]


def test_a_band_between_metrics_is_that_of_the_first_run_alone() -> None:
    rows = rows_of(Curve(metric="loss", runs={"A": FIXED}, between=("low", "high")))
    expected = rows_of(Curve(metric="loss", runs={"A": FIXED}, band="seeds")).query("y == 0")
    assert rows["value"].tolist() == expected["value"].tolist()
    assert rows["low"].tolist() == [value - 1 for value in expected["value"]]
    assert rows["high"].tolist() == [value + 2 for value in expected["value"]]
    assert set(rows["num_runs"]) == {1}


def test_a_sweep_curve_has_a_point_per_value_and_a_hole_where_a_run_diverged() -> None:
    rows = rows_of(SweepCurve(measure=Last("test_loss"), over="learning_rate", runs={"A": Selected("a")}))
    assert rows["x"].tolist() == list(RATES)
    assert rows["value"].tolist() == pytest.approx([1.1, 1.2, math.nan], nan_ok=True)


def test_several_selections_of_a_label_make_one_line() -> None:
    parts = tuple(Selected("a", where={"learning_rate": rate}) for rate in RATES[:2])
    rows = rows_of(SweepCurve(measure=Last("test_loss"), over="learning_rate", runs={"A": parts}))
    assert (rows["series"].tolist(), rows["x"].tolist()) == (["A", "A"], list(RATES[:2]))
    assert rows["value"].tolist() == pytest.approx([1.1, 1.2])


def test_a_share_has_wilsons_interval() -> None:
    rows = rows_of(SweepCurve(measure=Diverged(), over="learning_rate", runs={"A": Selected("a")}))
    assert rows["value"].tolist() == pytest.approx([0, 0, 1 / 3])
    assert rows["low"].iloc[0] == 0.0
    assert rows["high"].iloc[0] == pytest.approx(0.39033, abs=1e-5)
    assert rows["num_runs"].tolist() == [6, 6, 6]


def test_values_that_are_records_become_names() -> None:
    best = Selected("a", best=("learning_rate",))
    rows = rows_of(SweepCurve(measure=Last("test_loss"), over="schedule", runs={"A": best}))
    assert rows["x"].tolist() == ["Constant", "Cosine"]
    assert rows["value"].tolist() == pytest.approx([1.1, 1.1])


def test_survival_is_the_share_still_waiting() -> None:
    rows = rows_of(Survival(measure=StepsTo("reaches", below=1.0), runs={"A": FIXED}))
    assert rows["x"].tolist() == [0.0, 10.0, 20.0, 100.0]
    assert rows["value"].tolist() == pytest.approx([1.0, 2 / 3, 1 / 3, 1 / 3])


def test_bars_have_a_mean_and_every_seed() -> None:
    rows = rows_of(Bars(measure=Last("test_loss"), runs={"A": FIXED, "B": BEST}))
    mean = rows[rows["y"].isna()]
    assert mean["series"].tolist() == ["A", "B"]
    assert numbers(mean.iloc[0]) == pytest.approx(interval([0.1, 1.1, 2.1]))
    seeds = rows[rows["y"].notna() & (rows["series"] == "A")]
    assert seeds["value"].tolist() == pytest.approx([0.1, 1.1, 2.1])
    assert seeds["low"].isna().all()


def test_a_seed_with_a_diverged_run_has_no_mean() -> None:
    rows = rows_of(Bars(measure=Last("test_loss"), runs={"A": Selected("a", where={"schedule": Constant()})}))
    assert math.isnan(rows["value"].iloc[0])
    assert rows["value"].iloc[1:].isna().tolist() == [False, True, False]


def test_a_heatmap_has_a_cell_per_pair_of_values() -> None:
    rows = rows_of(Heatmap(measure=Last("test_loss"), x="learning_rate", y="schedule", runs=Selected("a")))
    assert rows[["x", "y"]].to_numpy().tolist() == [[rate, name] for rate in RATES for name in ("Constant", "Cosine")]
    assert rows["value"].tolist() == pytest.approx([1.1, 1.1, 1.2, 1.2, math.nan, math.nan], nan_ok=True)


def test_a_cloud_has_a_point_per_run() -> None:
    rows = rows_of(Cloud(x=Setting("learning_rate"), y=Last("test_loss"), runs={"A": FIXED}))
    assert rows["x"].tolist() == pytest.approx([0.1] * 3)
    assert rows["y"].tolist() == pytest.approx([0.1, 1.1, 2.1])


def test_theory_is_a_series_of_its_own_over_the_panels_x() -> None:
    reference = Reference(label="2 / rate", theory="curvature_limit")
    over_rate = rows_of(
        SweepCurve(measure=Last("test_loss"), over="learning_rate", runs={"A": FIXED}), references=(reference,)
    )
    assert over_rate[over_rate["series"] == "2 / rate"]["value"].tolist() == pytest.approx([20.0])
    wide = SweepCurve(measure=Last("test_loss"), over="learning_rate", runs={"A": Selected("a")})
    line = rows_of(wide, references=(reference,), log_x=True).query("series == '2 / rate'")
    assert line["value"].to_numpy(float) == pytest.approx(2 / line["x"].to_numpy(float))
    assert len(line) == 100
    steps = rows_of(Curve(metric="loss", runs={"A": FIXED}), references=(reference,)).query("series == '2 / rate'")
    assert steps["value"].tolist() == pytest.approx([20.0] * 3)


def test_an_experiment_without_figures_has_an_empty_summary() -> None:
    results: Results = make_results(make_experiment("a"), lambda run: {"validation_loss": 1.0})
    assert tuple(summary_of(results).columns) == tuple(SUMMARY)
    assert summary_of(results).empty
