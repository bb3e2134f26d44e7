"""`seven-terms new`: an experiment that runs as it is, to be changed line by line; standard library only."""

from __future__ import annotations

import re
from pathlib import Path

from ..spec import require

HERE = '''"""Experiments: a folder a term, a file a question. `make report EXPERIMENTS=<this folder>` runs them."""

from seven_terms.spec.collecting import collect

EXPERIMENTS = collect(__name__)
'''
TEMPLATE = '''"""Does a larger batch reach a lower loss at equal examples? (What is asked, and why anybody doubts it.)"""

from seven_terms.spec import *

# What is trained, except for the seed. ArrayData(path="mine.csv") brings your data, Module(cls="package.nets:Net") your net.
SMALL = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=2, width=32, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(learning_rate=0.1),
    num_steps=400,
    batch_size=16,
)
# The alternatives: named, labelled, and otherwise alike.
small = Arm(name="small", label="batches of 16", training=SMALL)
large = Arm(name="large", label="batches of 64", training=SMALL.but(batch_size=64, num_steps=100))

experiment = Experiment.here(
    __name__,
    title="{title}",
    question="Does a larger batch reach a lower loss at equal examples?",
    method="Two layers of 32 ReLU units on digits of 7 x 7 pixels see 6,400 examples in batches of 16 or 64, each at its own "
    "best rate.",
    arms=(small, large),
    sweep={{"optimizer.learning_rate": (0.03, 0.1, 0.3, 1.0)}},  # of each arm; the best is chosen on validation data
    num_seeds=8,  # equal seeds are paired across arms
    probes=(Stream(window=20), Evaluate(steps=Steps(count=5), splits=("validation", "test"))),
    noise_floor=small.at({{"optimizer.learning_rate": 0.1}}),  # the A/A arm: one arm against itself with other seeds
    # Write all of it before the first run. Above, Below and Within say which values agree with the statement.
    claims=(
        Claim(
            id="{id}",
            statement="At equal examples larger batches end at a higher test loss.",
            source="folklore",
            estimate=PairedRatio(measure=Last("test_loss"), runs=large.best(), baseline=small.best()),
            rule=Above(1.0),
            unit="test loss, large over small batches",
            because="with a quarter of the updates the large batches must make up for them by a better direction",
        ),
    ),
    figures=(
        Figure(
            name="rates",
            caption="Test loss after 6,400 examples over the learning rate.",
            panels=(
                sweep_curve(
                    "Over the rate", Last("test_loss"), all_runs(small, large), over="optimizer.learning_rate", log_x=True
                ),
            ),
        ),
    ),
    scales={{
        "smoke": Changes(num_seeds=2, training={{"num_steps": 20}}, sweep={{"optimizer.learning_rate": (0.1, 0.3)}}),
        "paper": Changes(skip=True),
    }},
)
'''
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}/[a-z][a-z0-9_]{0,59}")


def write_question(question: str, folder: Path) -> list[str]:
    """Write <folder>/<term>/<question>.py, and what the folder lacks; return what was written and what comes next."""
    do = "write it like batch_norm/larger_batches"
    must = "it must be <term>/<name> in lower-case letters, digits and _"
    require(bool(NAME.fullmatch(question)), what="question", must=must, got=question, do=do)
    must, do = "the folder's name must be one of a Python package", "e.g. --experiments my_experiments"
    require(folder.resolve().name.isidentifier(), what="experiments", must=must, got=str(folder), do=do)
    term, name = question.split("/")
    path = folder / term / f"{name}.py"
    require(not path.exists(), what="question", must="it must be a new one", got=str(path), do="take another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    written = [path]
    if not (folder / "__init__.py").exists():
        (folder / "__init__.py").write_text(HERE, encoding="utf-8")
        written.append(folder / "__init__.py")
    title = name.replace("_", " ").capitalize()
    key = "".join(part[0] for part in question.replace("/", "_").split("_") if part).upper() + "1"
    path.write_text(TEMPLATE.format(title=title, id=key), encoding="utf-8")
    listed = _listed(path.parent / "__init__.py", name)
    where = "" if folder.name == "experiments" else f" --experiments {folder}"
    make = "" if folder.name == "experiments" else f" EXPERIMENTS={folder}"
    return [
        *(f"wrote {one}" for one in written),
        *([f"listed it in {path.parent / '__init__.py'}"] if listed else []),
        f"next: seven-terms check{where}; seven-terms explain {question}{where}",
        f"then: make report SCALE=smoke ONLY={question}{make}",
    ]


def _listed(path: Path, name: str) -> bool:
    """Add a question to the QUESTIONS of its term, where there is such a list; create an empty package otherwise."""
    if not path.exists():
        path.write_text("", encoding="utf-8")
        return False
    text = path.read_text(encoding="utf-8")
    imports = re.search(r"from \. import \(\n(.*?)\)\n", text, flags=re.DOTALL)
    questions = re.search(r"QUESTIONS = \(\n(.*?)\)\n", text, flags=re.DOTALL)
    if imports is None or questions is None:
        return False
    names = sorted({*imports[1].split(), f"{name},"})
    text = text.replace(imports[1], "".join(f"    {one}\n" for one in names))
    text = text.replace(questions[1], f"{questions[1]}    {name}.experiment,\n")
    path.write_text(text, encoding="utf-8")
    return True
