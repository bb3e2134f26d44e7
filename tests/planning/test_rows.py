"""What to run in half an hour: most claims a minute, nothing that is published, never more than the budget."""

import pytest

from experiments import EXPERIMENTS
from seven_terms.cli import verbs as command_line
from seven_terms.planning.calibration import REFERENCE
from seven_terms.planning.rows import Row, budget_seconds, chosen, rows_of
from seven_terms.planning.selection import plans_at
from seven_terms.planning.stacks import workload_of


def row(name, claims, *seconds):
    return Row(name=name, num_claims=claims, seconds=seconds)


def test_the_most_claims_a_second_come_first_and_all_fit():
    rows = [row("long", 9, 1000.0), row("dear", 1, 50.0), row("cheap", 4, 40.0), row("last", 1, 60.0)]
    assert [one.name for one in chosen(rows, seconds=120.0, num_devices=1)] == ["cheap", "dear"]
    assert [one.name for one in chosen(rows, seconds=120.0, num_devices=2)] == ["cheap", "dear", "last"]
    assert chosen(rows, seconds=10.0, num_devices=4) == []


def test_what_is_published_or_claims_nothing_is_left_out():
    plans = plans_at(EXPERIMENTS, "smoke", compiling="never", only="learning_rate")
    rows = rows_of(plans, REFERENCE, published=["learning_rate/quadratics"])
    assert {one.name for one in rows} == {
        name for name, plan in plans.items() if plan.experiment.claims and name != "learning_rate/quadratics"
    }


def test_stacks_that_are_there_cost_nothing():
    plans = plans_at(EXPERIMENTS, "smoke", compiling="never", only="learning_rate/quadratics")
    [plan] = plans.values()
    first, *others = plan.stacks
    [row] = rows_of(plans, REFERENCE, missing=[first])
    assert others
    assert row.seconds == (REFERENCE.seconds(workload_of(plan.stacks[first])),)


@pytest.mark.parametrize(("text", "seconds"), [("25m", 1500.0), ("90s", 90.0), ("1.5h", 5400.0)])
def test_a_budget_is_a_number_with_a_unit(text, seconds):
    assert budget_seconds(text) == seconds


@pytest.mark.parametrize("text", ["25", "m", "-3m", "25 min"])
def test_another_budget_is_refused_in_a_sentence(text):
    with pytest.raises(ValueError, match=r"budget: it must be a number with s, m or h, got .*; try 25m"):
        budget_seconds(text)


def test_the_verb_prints_names_that_make_takes(project, tmp_path, capsys):
    words = ["plan", "--scale", "smoke", "--budget", "30s", "--published", str(tmp_path), "--results", str(tmp_path)]
    assert command_line.run([*words, "--experiments", str(project / "experiments")]) == 0
    out = capsys.readouterr()
    assert set(out.out.split()) <= {experiment.path for experiment in EXPERIMENTS}
    assert out.out.split()
    assert "unpublished experiments" in out.err


def test_a_budget_that_nothing_fits_into_is_told_with_what_to_do(project, tmp_path, capsys):
    words = ["plan", "--scale", "paper", "--budget", "0.001s", "--published", str(tmp_path), "--results", str(tmp_path)]
    assert command_line.run([*words, "--experiments", str(project / "experiments")]) == 1
    assert "fits into the budget; give more time, such as BUDGET=25m" in capsys.readouterr().err
