"""A copy of what the pipeline reads, for tests that run the whole of it."""

import shutil
from pathlib import Path

PARTS = ("Snakefile", "environment.yml", "rules", "profiles", "experiments", "paper")


def copy_checkout(project: Path, folder: Path) -> Path:
    """Copy the parts of the project into a folder, and return it."""
    for name in PARTS:
        copy = shutil.copytree if (project / name).is_dir() else shutil.copyfile
        copy(project / name, folder / name)
    return folder
