"""Provenance of a published folder as a Workflow Run RO-Crate: which workflow made which files, from which commits."""

from __future__ import annotations

import hashlib
import json
import mimetypes
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from ..records.atomic import write
from ..records.provenance import commit, provenance
from ..records.tables import read_csv
from .citation import TITLE, read_citation

NAME = "ro-crate-metadata.json"
PROFILES = (
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
)
WORKFLOW = "workflow/Snakefile"
LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"


def write_crate(folder: Path, *, snakefile: Path, scale: str) -> None:
    """Write ro-crate-metadata.json and the workflow beside the published files; what is not known is left out."""
    from rocrate.rocrate import ROCrate

    write(folder / WORKFLOW, snakefile.read_bytes(), beside=False)
    crate = ROCrate(gen_preview=False, version="1.1")  # the version that the profiles are written for
    record = read_citation()
    author = crate.add_jsonld({"@id": "#author", "@type": "Organization", "name": record["authors"][0]["name"]})
    root = crate.root_dataset
    root["name"], root["description"] = f"{TITLE}: results of scale {scale}", record.get("abstract", TITLE)
    root["license"], root["author"] = f"https://spdx.org/licenses/{record['license']}", author
    root["conformsTo"] = [
        crate.add_jsonld({"@id": profile, "@type": "CreativeWork", "name": "Workflow Run RO-Crate"})
        for profile in PROFILES
    ]
    crate.add_jsonld(
        {"@id": LANGUAGE, "@type": "ComputerLanguage", "name": "Snakemake", "url": "https://snakemake.github.io"}
    )
    workflow = crate.add_file(
        str(folder / WORKFLOW),
        WORKFLOW,
        properties={
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": "Seven Terms",
            "programmingLanguage": {"@id": LANGUAGE},
            "version": commit(),
        },
    )
    crate.mainEntity = workflow
    files = [
        crate.add_file(str(path), path.relative_to(folder).as_posix(), properties=_facts(path))
        for path in _files(folder)
    ]
    root["mentions"] = [_run(crate, workflow, files, folder=folder, author=author)]
    graph = crate.metadata.generate()
    for entity in graph["@graph"]:
        if entity["@id"] == "./":
            entity["datePublished"] = _last_day(folder)  # not that of writing: equal results give equal crates
    write(folder / NAME, json.dumps(graph, indent=1, sort_keys=True, ensure_ascii=False) + "\n", beside=False)


def _files(folder: Path) -> Iterable[Path]:
    left_out = {NAME, WORKFLOW}
    paths = (path for path in sorted(folder.rglob("[!.]*")) if path.is_file())
    return [path for path in paths if path.relative_to(folder).as_posix() not in left_out]


def _facts(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return {"contentSize": str(len(data)), "sha256": hashlib.sha256(data).hexdigest(), "encodingFormat": kind}


def _provenance(folder: Path) -> pd.DataFrame:
    path = folder / "provenance.csv"
    return read_csv(path, kind="provenance") if path.is_file() else pd.DataFrame({"trained_on": [], "commit": []})


def _last_day(folder: Path) -> str:
    days = _provenance(folder)["trained_on"]
    return str(days.max()) if len(days) else "1970-01-01"


def _run(crate: Any, workflow: Any, files: list[Any], *, folder: Path, author: Any) -> Any:
    table = _provenance(folder)
    versions = ", ".join(f"{name} {version}" for name, version in provenance()["versions"].items())
    return crate.add_jsonld(
        {
            "@id": "#run",
            "@type": "CreateAction",
            "name": f"make report SCALE={folder.name}",
            "instrument": {"@id": workflow.id},
            "agent": {"@id": author.id},
            "endTime": _last_day(folder),
            "description": f"Trained at commits {', '.join(sorted(set(table['commit'].astype(str))))}; {versions}",
            "result": [{"@id": file.id} for file in files],
        }
    )
