"""Experiments, a module and data in a folder of one's own, trained by jobs that start in another folder."""

import os
import subprocess
import sys

from seven_terms.records.tables import read_metrics

NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, num_inputs, num_outputs, width=8):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(num_inputs, width), nn.GELU(), nn.Linear(width, num_outputs))

    def forward(self, x):
        return self.layers(x)
"""
EXPERIMENT = """
from seven_terms.spec import *

training = Training(
    task=ArrayData(path="mlxtend:data/data/iris.csv.gz"),
    model=Module(cls="mine.nets:Net", arguments={"width": 8}),
    num_steps=20,
    batch_size=10,
)
experiment = Experiment(
    name="own", term="learning_rate", title="Own", question="Is it learned?", method="A net of one's own.",
    arms=(Arm(name="net", label="net", training=training),), sweep={"model.arguments.width": (8, 16)}, num_seeds=2,
    probes=(Stream(window=5), Evaluate(steps=Steps(count=2), splits=("test",))),
)
EXPERIMENTS = (experiment,)
"""


def test_a_plan_made_in_one_folder_trains_from_another(tmp_path):
    mine, elsewhere = tmp_path / "home" / "mine", tmp_path / "elsewhere"
    mine.mkdir(parents=True)
    elsewhere.mkdir()
    (mine / "nets.py").write_text(NET)
    (mine / "__init__.py").write_text(EXPERIMENT)
    environment = os.environ | {"SEVEN_TERMS_WARM": "0", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = {"env": environment, "check": True, "capture_output": True, "text": True}
    verb = [sys.executable, "-m", "seven_terms"]
    plan = ["plan", "--scale", "laptop", "--results", "r", "--experiments", "mine", "--brief"]
    subprocess.run([*verb, *plan], cwd=mine.parent, **command)
    results = mine.parent / "r"
    stack = (results / "plan" / "stacks.csv").read_text().splitlines()[1].split(",")[1]
    train = ["--plan", str(results / "plan" / "learning_rate" / "own.json"), "--stack", stack, "--output", "m.parquet"]
    subprocess.run([*verb, "train", *train], cwd=elsewhere, **command)
    table, record = read_metrics(elsewhere / "m.parquet")
    assert len(record["runs"]) == 2
    assert (table.metric == "test_accuracy").any()
