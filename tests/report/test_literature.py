"""Numbers of others: only what may be printed, computed ones computed again, and each beside a number of ours."""

import functools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from experiments import EXPERIMENTS
from experiments.lr_schedule.noisy_quadratic import BUDGETS, INVERSE_SQRT_RATES, RATES, SCHEDULES
from seven_terms.report import compare
from seven_terms.report.comparisons import Number, agreement
from seven_terms.report.literature import Cited, Measured, read_literature

from .fabricate import CHOSEN, fabricate, set_verdict

PAPER = Path(__file__).parents[2] / "paper"
LITERATURE = read_literature(PAPER / "literature.yaml")
BY_PATH = {experiment.path: experiment for experiment in EXPERIMENTS}
ROW = {
    "key": "k",
    "term": "batch_norm",
    "quantity": "a ratio",
    "unit": "times",
    "cite": "ioffe2015batch",
    "where": "section 4",
    "certainty": "S1 P",
    "value": 2.0,
    "measured": {"experiment": "batch_norm/mnist_2015", "claim": "BN1 (fair)"},
}


def cited(**changes: object) -> Cited:
    return Cited(**{**ROW, "measured": Measured(**ROW["measured"]), **changes})


@pytest.mark.parametrize("certainty", ["MU", "S1 P + MU", "MC", "S2 N", "E", ""])
def test_a_number_that_is_not_certain_is_refused(certainty):
    with pytest.raises(ValueError, match=f"certainty must be .*, got '{re.escape(certainty)}'; read it in the source"):
        cited(certainty=certainty)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"term": "batchnorm"}, "term must be that of its experiment, '[a-z_]+', got 'batchnorm'"),
        ({"value": float("nan")}, "value, low or high must be a number"),
        ({"compare": "direction"}, "a direction must have a neutral number"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        cited(**changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("literature: [a: b: c]", "it must be YAML with a list `literature`"),
        ("other: []", "it must be YAML with a list `literature`"),
        (yaml.dump({"literature": [{**ROW, "valeu": 1}]}), "fields must be .*'valeu'"),
        (yaml.dump({"literature": [ROW, ROW]}), "keys must be unique, got \\['k'\\]"),
        (yaml.dump({"literature": [{"key": "k"}]}), "must be there"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_one_sentence(tmp_path, text, message):
    (tmp_path / "literature.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_literature(tmp_path / "literature.yaml")


@pytest.mark.parametrize(
    ("changes", "ours", "expected"),
    [
        ({}, (2.2, 1.9, 2.5), "agrees"),
        ({}, (2.6, 2.3, 2.9), "differs"),
        ({"tolerance": 0.2}, (2.6, 2.3, 2.9), "agrees"),
        ({"low": 2.5, "high": 3.0}, (2.6, 2.3, 2.9), "agrees"),
        ({"compare": "direction", "neutral": 1}, (1.5, 1.2, 1.8), "direction agrees"),
        ({"compare": "direction", "neutral": 1}, (1.5, 1.2, 2.1), "agrees"),
        ({"compare": "direction", "neutral": 1}, (0.8, 0.7, 0.9), "differs"),
        ({"compare": "direction", "neutral": 1}, (1.1, 0.9, 1.3), "direction open"),
        (
            {"compare": "direction", "neutral": 0, "value": float("nan"), "low": 0.0},
            (0.3, 0.1, 0.5),
            "direction agrees",
        ),
        ({"compare": "direction", "neutral": 0, "value": float("nan"), "low": 0.0}, (-0.3, -0.5, -0.1), "differs"),
        (
            {"compare": "direction", "neutral": 0, "value": float("nan"), "high": 0.0},
            (-0.3, -0.5, -0.1),
            "direction agrees",
        ),
        ({}, (float("nan"),) * 3, "no value"),
    ],
)
def test_agreement_follows_from_the_intervals(changes, ours, expected):
    value, low, high = ours
    assert agreement(cited(**changes), Number(value=value, low=low, high=high)) == expected


def test_the_comparison_takes_verdicts_and_summary_rows(tmp_path):
    results = fabricate(tmp_path, experiments=(*CHOSEN, BY_PATH["batch_norm/speedup"]))
    set_verdict(results, "BN1 (deep, equal rates)", effect=2.4, low=2.0, high=2.9)
    compare(results, PAPER / "literature.yaml", results / "comparisons.csv")
    table = pd.read_csv(results / "comparisons.csv").set_index("key")
    assert list(table.index) == [row.key for row in LITERATURE]
    assert table.loc["batch_norm_alone", ["measured", "agreement"]].tolist() == [2.4, "agrees"]
    assert table.loc["noisy_quadratic_constant_300", "measured"] == pytest.approx(0.9)  # the bar, not its seeds
    assert table.loc["noisy_quadratic_constant_300", "agreement"] == "differs"
    assert table.loc["batch_norm_alone", "source"] == "[ioffe2015batch], section 4.2, single-network classification"


def test_what_a_scale_does_not_run_is_listed_as_such(tmp_path):
    results = fabricate(tmp_path, experiments=(BY_PATH["batch_norm/speedup"],))
    compare(results, PAPER / "literature.yaml", results / "comparisons.csv")
    table = pd.read_csv(results / "comparisons.csv").set_index("key")
    assert table.loc["noisy_quadratic_constant_300", "agreement"] == "not run at this scale"
    assert table.loc["batch_norm_alone", "agreement"] != "not run at this scale"


def test_a_summary_row_that_is_not_there_is_refused(tmp_path):
    results = fabricate(tmp_path, scale="full")
    text = (PAPER / "literature.yaml").read_text().replace('series: "cosine"', 'series: "cosinus"')
    (tmp_path / "literature.yaml").write_text(text)
    with pytest.raises(
        ValueError, match=r"series 'cosinus', x None, got '0 rows'; change `measured` in literature\.yaml"
    ):
        compare(results, tmp_path / "literature.yaml", results / "comparisons.csv")


def test_a_point_that_another_scale_lacks_is_listed_as_not_run(tmp_path):
    results = fabricate(tmp_path, scale="smoke")
    text = (PAPER / "literature.yaml").read_text().replace('series: "cosine"', 'series: "cosinus"')
    (tmp_path / "literature.yaml").write_text(text)
    compare(results, tmp_path / "literature.yaml", results / "comparisons.csv")
    table = pd.read_csv(results / "comparisons.csv").set_index("key")
    assert table.loc["noisy_quadratic_cosine_300", "agreement"] == "not run at this scale"


@pytest.mark.parametrize("row", LITERATURE, ids=lambda row: row.key)
def test_every_number_of_the_literature_names_a_claim_or_figure_of_an_experiment_and_a_reference(row):
    experiment = BY_PATH[row.measured.experiment]
    assert row.term == experiment.term
    assert f"{{{row.cite}," in (PAPER / "references.bib").read_text()
    if row.measured.claim:
        assert row.measured.claim in {claim.key for claim in experiment.claims}
    else:
        panels = {figure.name: figure.panels for figure in experiment.figures}[row.measured.figure]
        assert row.measured.series in panels[row.measured.panel].content.runs


@functools.cache
def expected_loss(schedule: str, num_steps: int) -> float:
    """Return the best expected final loss over the grid: second moments of SGD on eigenvalues and noise 1/i, by NumPy."""
    eigenvalues = 1.0 / np.arange(1, 1001)
    grid = np.array(INVERSE_SQRT_RATES if schedule == "inverse_sqrt" else RATES)
    if num_steps > 1000:  # the optimum found on the whole grid, its neighbours beside it: a third of a second each
        grid = grid[_near(grid, OPTIMA[schedule])]
    moments = np.ones((len(grid), 1000))
    for step in range(num_steps):
        rate = grid[:, None] * SCHEDULES[schedule][1].factor(step, num_steps)
        moments = (1.0 - rate * eigenvalues) ** 2 * moments + rate**2 * eigenvalues
    losses = 0.5 * (moments * eigenvalues).sum(axis=1)
    best = int(np.nanargmin(losses))
    if num_steps > 1000 and schedule != "exponential":  # whose best rate is the grid's edge
        assert 0 < best < len(grid) - 1
    return float(losses[best])


OPTIMA = {
    "constant": 0.110,
    "step": 0.333,
    "inverse_sqrt": 4.231,
    "inverse_time": 0.806,
    "wsd": 0.214,
    "wsd_sqrt": 0.267,
    "exponential": 1.950,
    "cosine": 0.518,
    "linear": 0.518,
}


def _near(grid: np.ndarray, value: float) -> slice:
    place = int(np.argmin(np.abs(np.log(grid / value))))
    return slice(max(place - 1, 0), place + 2)


@pytest.mark.parametrize("num_steps", BUDGETS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_computed_numbers_are_computed_again(schedule, num_steps):
    row = next(row for row in LITERATURE if row.key == f"noisy_quadratic_{schedule}_{num_steps}")
    with np.errstate(over="ignore", invalid="ignore"):
        assert expected_loss(schedule, num_steps) == pytest.approx(row.value, abs=5.1e-5)


def test_the_spread_of_tanh_behind_a_standardized_layer_is_what_quadrature_gives() -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    spread = np.sqrt((weights * np.tanh(nodes) ** 2).sum() / weights.sum())
    (row,) = (row for row in LITERATURE if row.key == "tanh_spread")
    assert row.value == pytest.approx(1.0 - spread, abs=5e-5)
