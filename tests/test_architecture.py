"""Who may import whom: stages meet in files and share only vocabulary."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from seven_terms.records.sources import imports_of, source_files, source_id

ROOT = Path(__file__).resolve().parent.parent / "src" / "seven_terms"
COMPUTE = {"seeds", "tasks", "models", "optimizers", "probes"}
ANALYSIS = {"spec", "records"}
# part of the package, in the order of the data flow -> (parts it may import, third-party packages it may import)
MAY_IMPORT: dict[str, tuple[set[str], set[str]]] = {
    "__init__": ({"analysis"}, set()),  # when somebody calls `load`
    "spec": (set(), {"platformdirs"}),  # where the user's cache lies
    "seeds": (set(), set()),
    "records": ({"spec"}, {"pandas", "pyarrow"}),  # the last two in tables alone: see below
    "planning": ({"spec", "records", "seeds"}, set()),
    "running": ({"spec", "records"}, set()),
    "tasks": ({"spec", "seeds"}, {"torch", "numpy", "scipy", "PIL"}),  # PIL where images are read
    "models": ({"spec", "seeds"}, {"torch"}),
    "optimizers": ({"spec", "seeds"}, {"torch"}),
    "probes": ({"spec", *COMPUTE}, {"torch"}),
    "training": (
        {"spec", "records", "planning", "running", *COMPUTE},
        {"torch", "pytorch_lightning", "numpy", "pandas"},
    ),
    "tracking": (ANALYSIS, {"wandb", "wandb_workspaces", "pytorch_lightning", "pandas"}),
    "statistics": (ANALYSIS, {"numpy", "scipy", "pandas"}),
    "analysis": (ANALYSIS, {"pandas", "numpy"}),
    "figures": (ANALYSIS, {"matplotlib", "seaborn", "pandas", "numpy"}),
    "report": (ANALYSIS | {"statistics"}, {"pandas", "yaml", "numpy", "jinja2", "markupsafe", "rocrate"}),
    "cli": (
        {*ANALYSIS, "planning", "training", "tracking", "statistics", "figures", "report", "running"},
        set(),
    ),
    "__main__": ({"cli"}, set()),
}


CIRCLE = {"fits.py", "measures.py", "metrics.py", "references.py"}  # name types of what holds them
PACKAGE_FILES = {path for path in ROOT.rglob("__init__.py")}


def imported_names(path: Path) -> set[str]:
    """Return the absolute dotted names that a file of the package imports, wherever in it."""
    package = ["seven_terms", *path.relative_to(ROOT).parts[:-1]]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
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
                assert inner in own | {part, "", "__version__", "TYPE_CHECKING"}, f"{path} may not import {name}"
            elif top not in sys.stdlib_module_names:
                assert top in third_party, f"{path} may not import {name}"


def test_the_parts_are_imported_in_one_direction():
    """No circle between packages, nor between the files of one."""
    allowed = {part: own - {part} for part, (own, _) in MAY_IMPORT.items()}
    assert tuple(TopologicalSorter(allowed).static_order())
    files = {
        path: imports_of(path) - {path, path.parent / "__init__.py"}
        for path in ROOT.rglob("*.py")
        if path.name not in CIRCLE
    }
    assert tuple(TopologicalSorter({path: own - PACKAGE_FILES for path, own in files.items()}).static_order())


def test_only_tables_of_the_records_need_more_than_the_standard_library():
    for path in (ROOT / "records").glob("*.py"):
        names = {name.partition(".")[0] for name in imported_names(path)}
        assert path.name == "tables.py" or names <= {"seven_terms", *sys.stdlib_module_names}, path


def test_the_sources_of_a_stage_are_all_that_it_imports():
    names = {str(path.relative_to(ROOT)) for path in source_files("figures")}
    assert {"figures/curve.py", "records/plans.py", "records/tables.py", "spec/claims.py"} <= names
    assert not [name for name in names if name.startswith(("planning", "training", "report", "statistics"))]
    assert source_id("figures") != source_id("report")


def test_only_tracking_imports_wandb():
    importing = {part_of(path) for path in ROOT.rglob("*.py") if "wandb" in imported_names(path)}
    assert importing == {"tracking"}


def test_experiments_import_nothing_but_the_spec(project):
    modules = project / "experiments" / "modules"  # what experiments name by class, and never import
    for path in set((project / "experiments").rglob("*.py")) - set(modules.iterdir()):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for module in modules:
                assert module == "seven_terms.spec" or module.partition(".")[0] in sys.stdlib_module_names, path


@pytest.mark.parametrize(
    "statement", ["import seven_terms.planning", "import experiments", "import seven_terms.__main__"]
)
def test_planning_loads_only_the_standard_library(statement, project):
    show = f"{statement}; import sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", show], cwd=project, capture_output=True, text=True, check=True)
    heavy = {"torch", "pandas", "numpy", "pytorch_lightning", "wandb", "snakemake", "matplotlib", "scipy", "pyarrow"}
    assert not heavy & set(done.stdout.split())
