"""A checkout of its own whose pipeline is attacked, and what its results must be, byte for byte."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from seven_terms.records.folder import Folder, folder_of
from seven_terms.records.tables import read_metrics

from ..checkout import copy_checkout

QUIET = ("--quiet", "rules", "progress", "reason", "host")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pipeline:
    """`only` of the smoke scale, in a copy of the project below `root`, with folders for temporary files and caches."""

    root: Path
    only: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def checkout(self) -> Path:
        return self.root / "checkout"

    @property
    def temporary(self) -> Path:
        return self.root / "temporary"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def folder(self) -> Folder:
        return folder_of("smoke", only=self.only, results=str(self.checkout / "results"))

    @property
    def command(self) -> list[str]:
        words = ["-m", "snakemake", "--cores", "2", *QUIET, "--config", "scale=smoke", f"only={self.only}"]
        return [sys.executable, *words]

    @property
    def surroundings(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.checkout / "src"),
            "TMPDIR": str(self.temporary),
            "WANDB_MODE": "disabled",
            **self.environment,
        }

    def make(self, project: Path) -> Pipeline:
        """Make the copy, code included, so that nobody's edit meanwhile changes what is attacked; return this."""
        for place in (self.checkout, self.temporary):
            place.mkdir(parents=True)
        copy_checkout(project, self.checkout)
        shutil.copytree(project / "src", self.checkout / "src", ignore=shutil.ignore_patterns("__pycache__"))
        return self

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        """Start a call in a group of its own."""
        with open(self.log, "w", encoding="utf-8") as log:  # a pipe would be waited for as long as any child lives
            return subprocess.Popen(
                self.command,
                cwd=self.checkout,
                env=self.surroundings | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def run(self, **environment: str) -> tuple[int, str]:
        """Run a call to its end; return exit status and what it printed."""
        status = self.start(**environment).wait(timeout=1800)
        return status, self.log.read_text(encoding="utf-8", errors="replace")

    def forget(self) -> None:
        """Delete all results and what Snakemake knows of them."""
        self.end()
        for name in ("results", ".snakemake"):
            shutil.rmtree(self.checkout / name, ignore_errors=True)

    def processes(self) -> dict[int, str]:
        """Return process id -> command line of what was started here and lives: it has our temporary folder."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"TMPDIR={self.temporary}".encode() in (process / "environ").read_bytes().split(b"\0"):
                    words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if words:
                        found[int(process.name)] = words
        return found

    def end(self) -> None:
        """Kill what is left of ours."""
        for process in self.processes():
            kill(process)

    def made(self) -> dict[str, str]:
        """Return each file's digest: bytes of tables, figures, text and PDF, values of metrics."""
        digests = {}
        for place in (self.folder.path / name for name in MADE):
            for path in [place] if place.is_file() else sorted(place.rglob("[!.]*")):
                if path.is_file():
                    name = str(path.relative_to(self.folder.path))
                    digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(self.folder.shared.glob("metrics/*/*/*.parquet")):
            values = read_metrics(path)[0].to_csv(index=False)
            digests[str(path.relative_to(self.folder.shared))] = hashlib.sha256(values.encode()).hexdigest()
        return digests


MADE = (
    *("plan", "summary", "claims", "figures", "runs.csv", "verdicts.csv", "noise_floor.csv", "comparisons.csv"),
    *("report/main.tex", "report/supplement.tex", "report/preamble.tex", "report/references.bib", "report/generated"),
    *("seven-terms.pdf", "seven-terms-supplement.pdf", "index.html"),
)


def kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def differences(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
