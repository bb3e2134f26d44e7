"""`seven-terms new`: an experiment that runs as it is, to be changed line by line; standard library only."""

from __future__ import annotations

import re
from pathlib import Path

from ..spec import require

HERE = '''"""Experiments: a folder per term, a file per question. `make report EXPERIMENTS=<this folder>` runs them."""

from seven_terms.spec import collect

EXPERIMENTS = collect(__name__)
'''
TEMPLATE = '''"""Does a larger batch reach a lower loss at equal examples? (What is asked, and why anybody doubts it.)"""

from seven_terms.spec import *

RATE = "optimizer.learning_rate"
# ArrayData(path="mine.csv") brings your data, Module(cls="nets:Net") your net, LightningTraining a LightningModule.
SMALL = Training(task=Digits(resolution=7), model=Mlp(depth=2, width=32), optimizer=Sgd(), num_steps=400, batch_size=16)
small = Arm("small", SMALL, label="batches of 16")  # the alternatives, otherwise alike
large = Arm("large", SMALL.but(batch_size=64, num_steps=100), label="batches of 64")

experiment = Experiment.here(
    __name__,
    title="{title}",
    question="Does a larger batch reach a lower loss at equal examples?",
    method="Two layers of 32 ReLU units see 6,400 digits in batches of 16 or 64, each at its own best rate.",
    arms=(small, large),
    sweep={{RATE: (0.1, 0.3, 1.0, 3.0)}},  # of each arm; the best is chosen on validation data
    num_seeds=8,  # equal seeds are paired across arms
    probes=(Stream(window=20), Evaluate(steps=Steps(count=5), splits=("validation", "test"))),
    noise_floor=small.at({{RATE: 0.3}}),  # the A/A arm: one arm against itself with other seeds
    claims=claim(  # or several, in a tuple: written, with the numbers that agree, before the first run
        "{id}",
        "At equal examples larger batches end at a higher test loss.",
        PairedRatio(Last("test_loss"), large.best(), small.best()).above(1.0),  # or .below(...), .within(..., ...)
        source="folklore",
        unit="test loss, large over small batches",
        because="with a quarter of the updates the large batches must make up for them by a better direction",
    ),
    figures=figure(
        "rates",
        "Test loss after 6,400 examples over the learning rate.",
        sweep_curve("Over the rate", Last("test_loss"), all_runs(small, large), over=RATE).axes(log="xy"),
    ),
    smoke=Changes({{"num_steps": 20, RATE: (0.1, 0.3)}}, num_seeds=2),
    paper=Changes(skip=True),
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
    listed = re.search(r"questions\((\s*__name__.*?)\)", text, flags=re.DOTALL)
    if listed is None:
        return False
    names = listed[1].rstrip().removesuffix(",")
    more = f'{names},\n    "{name}",\n' if "\n" in names else f'{names}, "{name}"'
    path.write_text(text.replace(listed[1], more), encoding="utf-8")
    return True
