"""Results are published one experiment at a time, judged together, and refused where they are not what they say."""

import hashlib
import subprocess
from pathlib import Path
from shutil import which

import pandas as pd
import pytest

from experiments import EXPERIMENTS
from experiments.batch_norm import mnist_2015
from experiments.gradient_clipping import power_function, temporal_order
from experiments.lr_schedule import noisy_quadratic
from seven_terms.records.atomic import write_sums
from seven_terms.records.tables import read_csv, write_csv
from seven_terms.report import compare, publishing
from seven_terms.report.publishing import publish
from seven_terms.statistics.outputs import definition_of

from .fabricate import add_origins, change_plan, fabricate, set_verdict

YAML = Path(__file__).parents[2] / "paper" / "literature.yaml"
FIRST, SECOND = mnist_2015.experiment, temporal_order.experiment
AMONG = (noisy_quadratic.experiment, FIRST, SECOND, power_function.experiment)
# Rows of scale paper that were trained before a grid changed; an hour.
ASKED_BEFORE = ("gradient_clipping/value_against_norm",)


def results_of(folder, *experiments, p_value=0.02, **origin):
    """Return made-up results at scale paper of some experiments: all claims have one effect and one p-value."""
    results = fabricate(folder / "paper", scale="paper", experiments=experiments, among=AMONG)
    verdicts = read_csv(results / "verdicts.csv", kind="verdicts")
    alike = {"verdict": "supported", "effect": 2.31, "low": 1.87, "high": 2.84, "p_value": p_value}
    write_csv(verdicts.assign(**alike), results / "verdicts.csv", kind="verdicts")
    add_origins(results, **origin)
    compare(results, YAML, results / "comparisons.csv")
    return results


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def output(tmp_path):
    return tmp_path / "published" / "paper"


def test_published_one_at_a_time_or_together_results_are_the_same(tmp_path, output):
    together = results_of(tmp_path / "both", FIRST, SECOND)
    told = publish(together, tmp_path / "at once" / "paper", literature_path=YAML)
    assert told == [f"{tmp_path / 'at once' / 'paper'}: experiments published: 2, now 2 of 4 in all"]
    publish(results_of(tmp_path / "b", SECOND), output, literature_path=YAML)
    publish(results_of(tmp_path / "a", FIRST), output, literature_path=YAML)
    assert files(output.parent) == files(tmp_path / "at once")
    assert set(files(output)) == {
        *(f"{name}.csv" for name in ("verdicts", "noise_floor", "comparisons", "provenance")),
        *(f"{kind}/{one.path}.csv" for kind in ("claims", "summary") for one in (FIRST, SECOND)),
    }


def test_published_claims_of_a_family_are_corrected_together(tmp_path, output):
    publish(results_of(tmp_path / "a", FIRST), output, literature_path=YAML)
    alone = read_csv(output / "verdicts.csv", kind="verdicts")
    sizes = alone.groupby("family")["claim"].transform("size")
    assert alone["p_holm"].to_list() == pytest.approx((0.02 * sizes).to_list())
    assert set(alone["verdict"][sizes > 2]) == {"inconclusive"}
    publish(results_of(tmp_path / "b", SECOND), output, literature_path=YAML)
    both = read_csv(output / "verdicts.csv", kind="verdicts")
    assert len(both) > len(alone)
    together = both.groupby("family")["claim"].transform("size")
    assert both["p_holm"].to_list() == pytest.approx((0.02 * together).to_list())
    assert together[both["family"] == "primary"].max() > sizes[alone["family"] == "primary"].max()


def test_an_experiment_that_is_published_again_replaces_its_rows_and_no_others(tmp_path, output):
    publish(results_of(tmp_path / "a", FIRST, SECOND), output, literature_path=YAML)
    again = results_of(tmp_path / "b", SECOND, processor="Intel Xeon", device="NVIDIA H100")
    set_verdict(again, "GC2", effect=0.5, low=0.4, high=0.6)
    add_origins(again, processor="Intel Xeon", device="NVIDIA H100")
    publish(again, output, literature_path=YAML)
    verdicts = read_csv(output / "verdicts.csv", kind="verdicts").set_index("claim")
    assert verdicts.loc["GC2", "effect"] == 0.5
    assert (verdicts["experiment"] == SECOND.path).sum() == len(SECOND.at_scale("paper").claims)
    assert (verdicts["experiment"] == FIRST.path).sum() == len(FIRST.at_scale("paper").claims)
    table = read_csv(output / "provenance.csv", kind="provenance").set_index("experiment")
    assert list(table.index) == [FIRST.path, SECOND.path]
    assert table["device"].to_dict() == {FIRST.path: "cpu", SECOND.path: "NVIDIA H100"}


def test_comparisons_of_an_experiment_that_was_not_run_again_are_kept(tmp_path, output):
    publish(results_of(tmp_path / "a", noisy_quadratic.experiment, SECOND), output, literature_path=YAML)
    before = read_csv(output / "comparisons.csv", kind="comparisons").set_index("key")
    ours = before[(before["agreement"] != "not run at this scale") & (before["term"] == "gradient_clipping")]
    assert len(ours)
    publish(results_of(tmp_path / "b", FIRST), output, literature_path=YAML)
    after = read_csv(output / "comparisons.csv", kind="comparisons").set_index("key")
    assert after.loc[ours.index].equals(ours)
    assert list(after.index) == list(before.index)


def test_provenance_tells_runs_time_machine_versions_and_day(tmp_path, output):
    results = results_of(tmp_path / "a", FIRST)
    publish(results, output, literature_path=YAML)
    (row,) = read_csv(output / "provenance.csv", kind="provenance").to_dict("records")
    runs, stacks = pd.read_csv(results / "runs.csv"), list(results.glob("metrics/*/*/*.parquet"))
    assert (row["num_runs"], row["num_stacks"], row["num_steps"]) == (len(runs), len(stacks), runs["steps"].sum())
    assert (row["duration_seconds"], row["processor_seconds"]) == (7200.0 * len(stacks), 7000.5 * len(stacks))
    assert (row["processor"], row["device"], row["mode"], row["num_cores"]) == ("AMD EPYC", "cpu", "eager", "2")
    assert row["versions"] == "numpy 2.4.6, torch 2.13.0"
    last = max(path.stat().st_mtime for path in stacks)
    assert row["trained_on"] == pd.Timestamp(last, unit="s").strftime("%Y-%m-%d")


def test_what_the_project_no_longer_has_is_deleted(tmp_path, output):
    publish(results_of(tmp_path / "a", FIRST), output, literature_path=YAML)
    stale = output / "claims" / "batch_norm" / "of_yesterday.csv"
    stale.write_bytes((output / "claims" / f"{FIRST.path}.csv").read_bytes())
    told = publish(results_of(tmp_path / "b", SECOND), output, literature_path=YAML)
    assert told[0] == "claims/batch_norm/of_yesterday.csv: deleted, there is no such experiment any more"
    assert not stale.exists()


def test_a_summary_that_is_too_large_is_left_out_and_named(tmp_path, output, monkeypatch):
    publish(results_of(tmp_path / "a", FIRST), output, literature_path=YAML)
    monkeypatch.setattr(publishing, "LARGEST", 1000)
    told = publish(results_of(tmp_path / "b", FIRST), output, literature_path=YAML)
    assert told[0].startswith(f"summary/{FIRST.path}.csv: left out, ")
    assert not (output / "summary" / f"{FIRST.path}.csv").exists()
    assert (output / "claims" / f"{FIRST.path}.csv").exists()


@pytest.mark.parametrize("change", ["scale", "seed", "runs", "metrics", "claims"])
def test_what_is_not_whole_or_does_not_belong_there_is_refused_and_changes_nothing(change, tmp_path, output):
    publish(results_of(tmp_path / "a", SECOND), output, literature_path=YAML)
    results, folder = results_of(tmp_path / "b", FIRST), output
    match change:
        case "scale":
            folder, sentence = output.with_name("laptop"), "must be published in a folder of that name, got '.*laptop'"
        case "seed":
            plan = results / "plan" / f"{FIRST.path}.json"
            change_plan(plan, base_seed=1000)
            sentence = "published results must be those of base seed 0, got 1000; put other seeds beside them"
        case "runs":
            runs = read_csv(results / "runs.csv", kind="runs")
            write_csv(runs[1:], results / "runs.csv", kind="runs")
            sentence = "must list the runs of the plans and no others, got '1 missing, 0 more'; run `make report` again"
        case "metrics":
            next(results.glob("metrics/*/*/*.parquet")).unlink()
            sentence = "every stack must be there to say where it was trained, got '1 missing: "
        case "claims":
            (output / "claims" / f"{SECOND.path}.csv").unlink()
            sentence = f"got '1 without, such as {SECOND.path}'; publish all of them together once"
    before = files(output.parent)
    with pytest.raises(ValueError, match=sentence):
        publish(results, folder, literature_path=YAML)
    assert files(output.parent) == before


@pytest.mark.skipif(not which("sha256sum"), reason="sha256sum is not installed")
def test_checksums_are_those_that_make_verify_compares(tmp_path):
    for name in ("b.csv", "a/z.csv", "a/b/c.csv", ".hidden"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "SHA256SUMS").write_text("of yesterday\n")
    write_sums(tmp_path)
    lines = (tmp_path / "SHA256SUMS").read_text().splitlines()
    assert lines[0] == f"{hashlib.sha256(b'a/b/c.csv').hexdigest()}  a/b/c.csv"
    assert [line.split("  ")[1] for line in lines] == ["a/b/c.csv", "a/z.csv", "b.csv"]
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("scale", ["laptop", "full", "paper"])
def test_published_numbers_follow_from_the_experiments_of_today(scale, project):
    """Another grid, probe or measure is another question: its old answer must not stand beside the new one."""
    asked_before = set(ASKED_BEFORE) if scale == "paper" else set()
    for experiment in (one.at_scale(scale) for one in EXPERIMENTS if one.runs_at(scale)):
        path = project / "results" / "published" / scale / "claims" / f"{experiment.path}.csv"
        if not path.is_file() or experiment.path in asked_before:
            assert scale == "paper"
            continue
        table = read_csv(path, kind="claims")
        published = {
            (row["claim"], row["form"]): row["definition"] for _, row in table.iterrows() if row["claim"] != "A/A"
        }
        assert published == {(one.id, one.form): definition_of(experiment, one) for one in experiment.claims}, (
            experiment.path
        )


def test_the_published_tables_of_this_repository_agree_with_their_checksums(project, tmp_path):
    published = project / "results" / "published"
    for name, content in files(published).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    write_sums(tmp_path)
    assert (tmp_path / "SHA256SUMS").read_text() == (published / "SHA256SUMS").read_text()
