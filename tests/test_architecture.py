"""Who may import whom: stages meet in files and share only vocabulary."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "src" / "seven_terms"
PLAN = {"spec", "canonical", "cost", "modes", "workload", "calibration", "stacks", "plan"}
COMPUTE = {"seeds", "tasks", "models", "optimizers", "probes"}
# part of the package -> (parts it may import, third-party packages it may import)
MAY_IMPORT: dict[str, tuple[set[str], set[str]]] = {
    "__init__": (set(), set()),
    "__main__": (
        {
            "spec",
            "plan",
            "training",
            "statistics",
            "figures",
            "report",
            "accounting",
            "warm",
            "forecast",
            "calibration",
            "publishing",
        },
        set(),
    ),
    "accounting": (set(), set()),
    "warm": ({"__main__", "user_directory"}, set()),
    "user_directory": (set(), set()),
    "stale_locks": (set(), set()),
    "devices": ({"spec", "user_directory"}, set()),
    "spec": (set(), set()),
    "seeds": (set(), set()),
    "provenance": (set(), set()),
    "canonical": ({"spec"}, set()),
    "cost": ({"spec"}, set()),
    "modes": ({"spec", "cost"}, set()),
    "workload": ({"spec", "cost", "modes"}, set()),
    "calibration": ({"spec", "workload", "provenance"}, set()),
    "forecast": ({"plan", "workload", "calibration", "accounting"}, set()),
    "stacks": ({"spec", "canonical", "cost", "modes", "workload", "calibration"}, set()),
    "plan": (PLAN | {"seeds"}, set()),
    "tables": ({"spec"}, {"pandas", "pyarrow"}),
    "tasks": ({"spec", "seeds"}, {"torch", "numpy", "scipy"}),
    "models": ({"spec", "seeds"}, {"torch"}),
    "optimizers": ({"spec", "seeds"}, {"torch"}),
    "probes": ({"spec", *COMPUTE}, {"torch"}),
    "training": (
        PLAN | COMPUTE | {"provenance", "tables", "accounting", "devices"},
        {"torch", "pytorch_lightning", "wandb", "numpy", "pandas"},
    ),
    "statistics": ({"spec", "plan", "tables"}, {"numpy", "scipy", "pandas"}),
    "figures": ({"spec", "plan", "tables"}, {"matplotlib", "seaborn", "pandas", "numpy"}),
    "publishing": ({"spec", "plan", "tables", "statistics", "report"}, {"pandas"}),
    "report": ({"spec", "plan", "tables", "provenance", "accounting"}, {"pandas", "yaml", "numpy"}),
}


def imported_names(path: Path) -> set[str]:
    """Return the absolute dotted names that a file of the package imports, wherever in it."""
    package = ["seven_terms", *path.relative_to(ROOT).parts[:-1]]
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else []
            module = [*parents, *([node.module] if node.module else [])]
            names |= (
                {".".join([*module, alias.name]) for alias in node.names} if not node.module else {".".join(module)}
            )
    return names


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("part", sorted({part_of(path) for path in ROOT.rglob("*.py")}))
def test_a_part_imports_only_what_the_data_flow_allows(part):
    assert part in MAY_IMPORT, f"seven_terms.{part} is new: say in MAY_IMPORT what it may import"
    own, third_party = MAY_IMPORT[part]
    for path in (path for path in ROOT.rglob("*.py") if part_of(path) == part):
        for name in imported_names(path):
            top, _, rest = name.partition(".")
            inner = rest.partition(".")[0]
            if top == "seven_terms":
                assert inner in own | {part, "", "__version__"}, f"{path} may not import {name}"
            elif top not in sys.stdlib_module_names:
                assert top in third_party, f"{path} may not import {name}"


def test_only_the_mirror_imports_wandb():
    importing = [path.name for path in ROOT.rglob("*.py") if any(name == "wandb" for name in imported_names(path))]
    assert sorted(importing) == ["wandb_log.py", "wandb_mirror.py"]


def test_experiments_import_nothing_but_the_spec(project):
    for path in (project / "experiments").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for module in modules:
                assert module == "seven_terms.spec" or module.partition(".")[0] in sys.stdlib_module_names, path


@pytest.mark.parametrize(
    "statement", ["import seven_terms.forecast", "import experiments", "import seven_terms.__main__"]
)
def test_planning_loads_only_the_standard_library(statement, project):
    show = f"{statement}; import sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", show], cwd=project, capture_output=True, text=True, check=True)
    heavy = {"torch", "pandas", "numpy", "pytorch_lightning", "wandb", "snakemake", "matplotlib", "scipy", "pyarrow"}
    assert not heavy & set(done.stdout.split())
