"""Somebody's task, model, activation, normalization, schedule, estimate, rule and kind of figure: a class each, elsewhere."""

import math
from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure as Canvas

from seven_terms.figures.figure import make_figure
from seven_terms.planning import make_plan
from seven_terms.planning.cost import facts
from seven_terms.planning.modes import has_kernels
from seven_terms.records.canonical import decode, encode
from seven_terms.records.plans import Plan
from seven_terms.report.wording import estimate_in_words
from seven_terms.spec import (
    Arm,
    Claim,
    Digits,
    Evaluate,
    Experiment,
    Figure,
    Function,
    Last,
    Mlp,
    Panel,
    Stream,
    Training,
)
from seven_terms.statistics.outputs import claims_of
from seven_terms.statistics.results import Results, results_of
from seven_terms.statistics.summary import summary_of
from seven_terms.training.train_stack import fit

from .kinds import Dots, Largest, Linear2, Near, Parity, Scale, Staircase

PARITY = Training(task=Parity(), model=Linear2(), num_steps=3, batch_size=4)
NET = Arm(name="net", label="net", training=PARITY.but(schedule=Staircase()))
DEEP = Arm(name="deep", label="deep", training=PARITY.but(model=Mlp(depth=2, width=8, normalization=Scale())))
CLAIM = Claim(
    id="OWN", statement="It is near chance.", source="nobody", unit="share", because="chance is one half",
    estimate=Largest(measure=Last("test_accuracy"), runs=NET.at()), rule=Near(0.5, 0.5),
)  # fmt: skip
PANEL = Panel(title="dots", content=Dots(measure=Last("test_accuracy"), runs={"net": NET.at(), "deep": DEEP.at()}),
              x_label="", y_label="accuracy")  # fmt: skip
EXPERIMENT = Experiment(
    name="own", term="learning_rate", title="Own", question="Own?", method="Own.", arms=(NET, DEEP), num_seeds=6,
    probes=(Stream(window=1), Evaluate(splits=("test",))), claims=(CLAIM,),
    figures=(Figure(name="dots", caption="Dots.", panels=(PANEL,)),),
)  # fmt: skip


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(EXPERIMENT, scale="laptop")


@pytest.fixture(scope="module")
def results(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Results:
    import pandas as pd

    tables, ends = [], {}
    for stack in plan.stacks.values():
        recorder = fit(stack).recorder
        tables.append(recorder.table())
        ends |= {run.id: {"status": "completed", "steps": 3} for run in stack.runs}
    return results_of(plan, pd.concat(tables, ignore_index=True), ends)


def test_a_task_a_model_a_normalization_and_a_schedule_of_one_s_own_train(plan: Plan, results: Results) -> None:
    (accuracy,) = [results.table("test_accuracy")]
    assert len(accuracy["run"].unique()) == 12
    assert not any(has_kernels(run.training) for run in plan.runs.values())
    assert facts(NET.training).num_parameters == 5 * 8 + 9 * 2
    assert [Staircase().factor(step, 4) for step in range(4)] == [1.0, 0.5, 0.25, 0.125]


def test_an_estimate_and_a_rule_of_one_s_own_judge(results: Results) -> None:
    (row,) = claims_of(results).to_dict("records")
    assert row["verdict"] == "supported"
    assert (row["rule"], row["rule_low"], row["rule_high"]) == ("within 0 to 1", 0.0, 1.0)
    assert estimate_in_words(CLAIM.estimate, {"net": "net"}).startswith("largest final test accuracy of a seed, “net”")


def test_a_figure_kind_of_one_s_own_is_summarized_and_drawn(results: Results) -> None:
    canvas = make_figure(EXPERIMENT.figures[0], summary_of(results))
    assert isinstance(canvas, Canvas)
    assert sum(len(line.get_xdata()) for line in canvas.axes[0].lines) == 12  # type: ignore[arg-type]


def test_records_name_them_by_module_with_a_hash_of_their_code() -> None:
    for kind in (Parity(), Linear2(), Scale(), Staircase(), CLAIM.estimate, Near(0.0, 1.0), PANEL.content):
        record = encode(kind)
        assert record["is"].startswith("tests.extending.kinds:")
        assert len(record["@content"]) == 16
        assert decode(record) == kind


def test_an_activation_function_is_any_module_of_numbers() -> None:
    model = Mlp(depth=1, width=4, activation=Function("torch.nn:ELU", arguments={"alpha": 0.5}))
    training = Training(task=Digits(resolution=7, num_train=40), model=model, num_steps=2, batch_size=4)
    module = training.model.build(input_shape=(49,), num_outputs=10)
    assert [child.alpha for child in module.modules() if isinstance(child, torch.nn.ELU)] == [0.5]
    experiment = Experiment(
        name="elu", term="learning_rate", title="t", question="q", method="m", num_seeds=2, probes=(Stream(window=1),),
        arms=(Arm(name="a", label="a", training=training),),
    )  # fmt: skip
    (stack,) = make_plan(experiment, scale="laptop").stacks.values()
    assert not has_kernels(training)
    table = fit(stack).recorder.table()
    assert table[table.metric == "batch_loss"].value.map(math.isfinite).all()


def test_the_class_is_all_that_a_user_writes() -> None:
    """One file, and no word about it in the package."""
    package = Path(__file__).resolve().parents[2] / "src" / "seven_terms"
    text = "".join(path.read_text() for path in package.rglob("*.py"))
    assert "extending" not in text
    assert "Parity" not in text
