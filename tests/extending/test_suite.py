"""A new thing of the suite touches as many files as CONTRIBUTING's table says: each is added to a copy, and works there."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "seven_terms"
Edits = Mapping[str, str]  # file -> what is written at its end, or "old -> new" lines

ADDED: dict[str, Edits] = {
    "task": {
        "spec/tasks.py": '''

@checked
class Sign(Task):
    """Is the sum of the inputs positive?"""

    builder = "seven_terms.tasks.sign:sign"
    supply = "endless"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (4,)

    @property
    def num_outputs(self) -> int:
        return 2

    def examples(self, split: Split) -> int:
        return 32
''',
        "tasks/sign.py": """
import dataclasses

from ..spec import GaussianInputs, Sign
from .data import TaskData
from .gaussian_inputs import gaussian_inputs


def sign(task: Sign, *, dtype, device) -> TaskData:
    data = gaussian_inputs(GaussianInputs(num_features=4, num_classes=2), dtype=dtype, device=device)

    def labelled(draw):
        def drawn(*asked):
            x, _ = draw(*asked)
            return x, (x.sum(-1) > 0).long()

        return drawn

    return dataclasses.replace(data, batches=labelled(data.batches), evaluation=labelled(data.evaluation))
""",
    },
    "model": {
        "spec/models.py": '''

@checked
class Cubic(Model):
    """Inputs, their squares and cubes, and one linear layer."""

    builder = "seven_terms.models.cubic:cubic"
    takes = (1,)
''',
        "models/cubic.py": """
import torch
from torch import nn


class Cubic(nn.Module):
    def __init__(self, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        self.readout = nn.Linear(3 * num_inputs, num_outputs)

    def forward(self, x):
        return self.readout(torch.cat([x, x**2, x**3], -1))


def cubic(model, *, input_shape, num_outputs):
    return Cubic(input_shape[0], num_outputs)
""",
    },
    "activation": {
        "spec/models.py": '"identity", "softsign"] | Function -> "identity", "softsign", "silu"] | Function',
        "models/tap.py": '    "softsign": nn.Softsign, -> "softsign": nn.Softsign, "silu": nn.SiLU,',
    },
    "normalization": {
        "spec/models.py": """

@checked
class RmsNorm(Normalization):
    builder = "seven_terms.models.normalization:rms_norm"
""",
        "models/normalization.py": """

def rms_norm(normalization, features):
    return nn.RMSNorm(features)
""",
    },
    "optimizer": {
        "spec/optimizers.py": '''

@checked
class SignSgd(Optimizer):
    """Bernstein et al. 2018."""

    learning_rate: Positive = 0.01

    def update(self, w, g, memory, c, *, number):
        return w - c.rate * g.sign(), {}
''',
    },
    "schedule": {
        "spec/schedules.py": '''

@checked
class Halves(Schedule):
    """Half the rate from the middle on."""

    def factor(self, step: int, num_steps: float) -> float:
        return 1.0 if 2 * step < num_steps else 0.5
''',
    },
    "probe": {
        "spec/probes.py": """

@checked
class LargestWeight(Probe):
    steps: Steps = Steps(count=2)
    observe = "seven_terms.probes.largest:observe_largest"

    def metrics(self, training):
        from .metrics import Metric

        return (Metric(name="largest_weight"),)

    def passes(self, training):
        return iter(())
""",
        "probes/largest.py": """
import torch


def observe_largest(probe, program, step):
    each = [value.flatten(1).abs().amax(1) for value in program.parameters.values()]
    yield "largest_weight", torch.stack(each).amax(0), None
""",
    },
    "estimate": {
        "spec/estimates.py": '''

@checked
class Extreme(Estimate):
    """The median over seeds of the measure, squared."""

    measure: Measure
    runs: Selected
    compute = "seven_terms.statistics.extreme:extreme"

    def in_words(self, say: Wording) -> str:
        return f"square of {say.measure(self.measure)}"
''',
        "statistics/extreme.py": """
from .bounds import Parts
from .samples import sample_of
from .selection import evaluate, select


def extreme(kind, results) -> Parts:
    chosen = select(kind.runs, results)
    return sample_of("median", value=evaluate(kind.measure, results).to_numpy()[chosen.positions] ** 2), [chosen], []
""",
    },
    "rule": {
        "spec/rules.py": """

@checked(kw_only=False)
class About(Rule):
    target: float

    @property
    def limits(self) -> tuple[float, float]:
        return 0.5 * self.target, 2.0 * self.target
""",
    },
    "kind of figure": {
        "spec/figures.py": """

@checked
class Crosses(Content):
    x: Measure
    y: Measure
    runs: Series
    rows = Cloud.rows
    drawing = "seven_terms.figures.crosses:draw_crosses"
""",
        "figures/crosses.py": """

def draw_crosses(axes, panel, rows, *, look):
    axes.plot(rows["x"].astype(float), rows["y"].astype(float), "x")
    return []
""",
    },
}
USED = '''
import pandas as pd
from seven_terms.figures.figure import make_figure
from seven_terms.planning import make_plan
from seven_terms.spec import *
from seven_terms.statistics.outputs import claims_of
from seven_terms.statistics.results import results_of
from seven_terms.statistics.summary import summary_of
from seven_terms.training.train_stack import fit

first = Training(task=Sign(), model=Cubic(), optimizer=SignSgd(), schedule=Halves(), num_steps=2, batch_size=4)
second = first.but(model=Mlp(depth=1, width=4, activation="silu", normalization=RmsNorm()))
a, b = Arm(name="a", label="a", training=first), Arm(name="b", label="b", training=second)
last = Last("largest_weight")
cloud = Panel(title="t", content=Crosses(x=last, y=Last("test_loss"), runs=all_runs(a, b)), x_label="x", y_label="y")
estimate = Extreme(measure=last, runs=a.at())
claim = Claim(id="X", statement="s", source="s", estimate=estimate, rule=About(1.0), unit="u", because="b")
experiment = Experiment(
    name="added", term="learning_rate", title="t", question="q", method="m", arms=(a, b), num_seeds=6,
    probes=(Stream(window=1), Evaluate(splits=("test",)), LargestWeight()),
    claims=(claim,),
    figures=(Figure(name="crosses", caption="c", panels=(cloud,)),),
)
plan = make_plan(experiment, scale="laptop")
tables = pd.concat([fit(stack).recorder.table() for stack in plan.stacks.values()], ignore_index=True)
results = results_of(plan, tables, {run: {"status": "completed", "steps": 2} for run in plan.runs})
assert claims_of(results)["rule"].tolist() == ["within 0.5 to 2"]
assert len(make_figure(experiment.figures[0], summary_of(results)).axes[0].lines[0].get_xdata()) == 12
print("all of them work")
'''  # fmt: skip


def add_to(copy: Path, edits: Edits) -> None:
    for name, text in edits.items():
        path = copy / name
        before = path.read_text() if path.is_file() else ""
        old, arrow, new = text.partition(" -> ")
        if arrow and "\n" not in text:
            assert before.count(old) == 1, f"{name} must hold {old!r} once"
            path.write_text(before.replace(old, new))
        else:
            path.write_text(before + text)


def test_each_new_thing_works_with_the_edits_of_its_row_and_no_others(tmp_path: Path) -> None:
    copy = tmp_path / "seven_terms"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for edits in ADDED.values():
        add_to(copy, edits)
    (tmp_path / "used.py").write_text(USED)
    done = subprocess.run([sys.executable, "used.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "all of them work\n", done.stderr


def rows_of_the_table(project: Path) -> dict[str, int]:
    """Return, from CONTRIBUTING, how many files of the suite each new thing touches."""
    table = re.findall(r"^\| (?:an? )?([\w ]+?) \| (.+?) \|", (project / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    return {name: files.count("`") // 2 for name, files in table if name in ADDED}


@pytest.mark.parametrize("name", ADDED)
def test_contributing_names_as_many_files(project: Path, name: str) -> None:
    assert rows_of_the_table(project)[name] == len(ADDED[name])
    assert len(ADDED[name]) <= MOST.get(name, 2)


MOST = {"task": 3, "model": 3, "optimizer": 1, "schedule": 1}
