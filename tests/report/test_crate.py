"""The crate of a published folder names the workflow, the run and every file with its size and checksum."""

import hashlib
import json
from pathlib import Path

import pytest

from seven_terms.report.crate import NAME, write_crate

pytest.importorskip("rocrate")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def graph(tmp_path):
    folder = tmp_path / "laptop"
    (folder / "claims").mkdir(parents=True)
    (folder / "claims" / "one.csv").write_text("claim\nA\n", encoding="utf-8")
    write_crate(folder, snakefile=ROOT / "Snakefile", scale="laptop")
    first = (folder / NAME).read_bytes()
    write_crate(folder, snakefile=ROOT / "Snakefile", scale="laptop")
    assert (folder / NAME).read_bytes() == first
    return {entity["@id"]: entity for entity in json.loads(first)["@graph"]}


def test_the_root_conforms_to_the_profiles_and_has_the_workflow_as_its_main_entity(graph):
    root = graph["./"]
    assert {one["@id"] for one in root["conformsTo"]} >= {"https://w3id.org/ro/wfrun/workflow/0.5"}
    assert graph["ro-crate-metadata.json"]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    workflow = graph[root["mainEntity"]["@id"]]
    assert "ComputationalWorkflow" in workflow["@type"]
    assert workflow["programmingLanguage"]["@id"] in graph
    assert all(name in root for name in ("name", "description", "license", "datePublished"))


def test_the_run_names_its_instrument_and_every_file_with_size_and_checksum(graph):
    run = graph["#run"]
    assert run["@type"] == "CreateAction"
    assert run["instrument"]["@id"] == graph["./"]["mainEntity"]["@id"]
    assert [one["@id"] for one in run["result"]] == ["claims/one.csv"]
    file = graph["claims/one.csv"]
    assert file["contentSize"] == "8"
    assert file["sha256"] == hashlib.sha256(b"claim\nA\n").hexdigest()


def test_every_reference_is_to_something_in_the_graph(graph):
    def references(value):
        if isinstance(value, dict):
            yield from (
                [value["@id"]]
                if set(value) == {"@id"}
                else (one for part in value.values() for one in references(part))
            )
        elif isinstance(value, list):
            yield from (one for part in value for one in references(part))

    wanted = {
        one for entity in graph.values() for key, part in entity.items() if key != "@id" for one in references(part)
    }
    assert {one for one in wanted if not one.startswith("https://w3id.org/ro/crate")} <= set(graph)
