"""The whole pipeline at smoke scale, in a copy of the project, and what a second call does."""

import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from experiments import EXPERIMENTS
from seven_terms.cli.new_question import write_question
from seven_terms.planning import plans_at
from seven_terms.records.folder import Folder
from seven_terms.records.plans import Plan, read_plan
from seven_terms.running.typesetting import engine
from seven_terms.spec import Scale

from .checkout import copy_checkout

# Gives one arm of one experiment a clipping threshold: its runs are others, all other runs stay the same.
CHANGE = """
import dataclasses
from seven_terms.spec import Clipping

def _changed(experiment):
    first, *others = experiment.arms
    clipped = dataclasses.replace(first, training=dataclasses.replace(first.training, clipping=Clipping(norm=1e9)))
    return dataclasses.replace(experiment, arms=(clipped, *others))

EXPERIMENTS = tuple(_changed(one) if one.name == "mnist_2015" else one for one in EXPERIMENTS)
"""


SECRET = "5ec2e7" + "ab" * 17  # a key of W&B's, and nobody's


def snakemake(folder: Path, *arguments: str, config: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "WANDB_API_KEY": SECRET}
    command = [sys.executable, "-m", "snakemake", "--config", "scale=smoke", *config, "--cores", "2", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def planned_stacks(plans: Mapping[str, Plan] | None = None) -> set[str]:
    return {stack for plan in (plans or plans_at(EXPERIMENTS, "smoke")).values() for stack in plan.stacks}


def planned_files(scale: Scale) -> list[str]:
    """Return every metrics file, "<term>/<name>/<stack>.parquet"."""
    plans = plans_at(EXPERIMENTS, scale)
    return [f"{path}/{stack}.parquet" for path, plan in plans.items() for stack in plan.stacks]


def listed_stacks(dry_run: subprocess.CompletedProcess) -> list[str]:
    return re.findall(r"output: results/smoke/metrics/\S+/(\w+)\.parquet", dry_run.stdout + dry_run.stderr)


@pytest.fixture(scope="module")
def checkout(project, tmp_path_factory):
    return copy_checkout(project, tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def finished(checkout):
    done = snakemake(checkout, "--quiet", "rules", "progress", "reason", "host")
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout, done


def test_the_workflow_passes_snakemakes_own_lint(checkout):
    done = snakemake(checkout, "--lint")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Congratulations" in done.stdout + done.stderr


def test_a_selection_of_what_is_not_there_is_one_sentence_without_traceback(checkout):
    done = snakemake(checkout, "--dry-run", config=("only=batch_norm/part",))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("snakemake: selection of experiments: each name must be a term or ")
    assert "Traceback" not in done.stdout + done.stderr


def test_a_selection_has_a_report_of_its_own_and_shares_what_is_trained(checkout):
    results, quiet = checkout / "results" / "smoke-seed7", ("--quiet", "rules", "progress", "reason", "host")
    cliff, power = "exploding_gradient/cliff", "gradient_clipping/power_function"
    sizes = {name: len(plan.stacks) for name, plan in plans_at(EXPERIMENTS, "smoke").items()}
    for only, trained in ((cliff, sizes[cliff]), (f"{cliff} {power}", sizes[power]), (cliff, 0)):
        done = snakemake(checkout, *quiet, config=("base_seed=7", f"only={only}"))
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("trained ") == trained
        folder = Folder(results).selected(only).path
        listed = (folder / "runs.csv").read_text(encoding="utf-8")
        assert all((name in listed) == (name in only) for name in (cliff, power))
        record = (folder / "report" / "generated" / "record.tex").read_text(encoding="utf-8")
        parts = set(re.findall(r"\\label\{exp:(\w+)\}", record))
        assert parts == {path.rpartition("/")[2] for path in only.split()}
    assert not (results / "runs.csv").exists()
    assert len(list(results.glob("metrics/*/*/*.parquet"))) == sizes[cliff] + sizes[power]
    config = ("base_seed=7", f"only={cliff} {power}")
    again = snakemake(checkout, *quiet, "--forcerun", "summarize", "--until", "figure", config=config)
    drawn = sum(len(plan.experiment.figures) for plan in plans_at(EXPERIMENTS, "smoke", only=config[1][5:]).values())
    for word, number in (("summarized", 2), ("drew", drawn)):  # files of an earlier call are not counted as done
        counts = re.findall(rf"^{word} .*, (\d+ of \d+)$", again.stdout, re.MULTILINE)
        assert counts == [f"{one} of {number}" for one in range(1, number + 1)], again.stdout + again.stderr


@pytest.mark.slow
def test_a_folder_of_ones_own_has_a_report_of_its_own_beside_the_suite(checkout, tmp_path):
    mine = tmp_path / "mine"
    write_question("dropout/rate", mine)
    before = sorted((checkout / "results").rglob("*"))
    done = snakemake(checkout, "--quiet", "rules", "progress", "reason", "host", config=(f"experiments={mine}",))
    assert done.returncode == 0, done.stdout + done.stderr
    results = mine / "results" / "smoke"
    assert "DR1" in (results / "verdicts.csv").read_text(encoding="utf-8")
    assert (results / "seven-terms.pdf").is_file() or not engine()
    assert "Dropout" in (results / "report" / "generated" / "terms.tex").read_text(encoding="utf-8")
    assert "Measured claims" in (results / "report" / "main.tex").read_text(encoding="utf-8")
    assert sorted((checkout / "results").rglob("*")) == before


@pytest.mark.parametrize("mode", ["disabled", "offline", "online"])
def test_no_plan_log_report_or_message_holds_the_key_of_an_account(checkout, monkeypatch, mode):
    monkeypatch.setenv("WANDB_MODE", mode)
    # Seeds of its own: what is trained here must not be missing where another test counts.
    done = snakemake(checkout, config=("base_seed=8", "only=lr_decay/step_drop"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    files = [path for path in checkout.rglob("*") if path.is_file() and not path.is_symlink()]
    kinds = {"plan", "logs", "report", "metrics", *(["wandb"] if mode != "disabled" else [])}
    assert kinds <= {part for path in files for part in path.parts}
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


def test_verdicts_are_held_to_a_published_second_set_of_seeds(checkout):
    published = checkout / "results" / "published" / "smoke" / "replication.csv"
    published.parent.mkdir(parents=True, exist_ok=True)
    published.write_text("claim,form,first,second,agree\n")
    try:
        done = snakemake(checkout, "--dry-run", "--printshellcmds", "--forcerun", "verdicts")
    finally:
        published.unlink()
    assert re.search(r"seven-terms verdicts .* --replication=results/published/smoke/replication\.csv ", done.stdout), (
        done.stdout[-2000:] + done.stderr
    )


@pytest.mark.parametrize(("executor", "limited"), [("local", "no limit"), ("slurm", "a limit")])
def test_a_local_call_looks_for_jobs_when_one_ended_and_a_cluster_gets_no_more_than_it_takes(
    checkout, executor, limited
):
    call = [
        "--config",
        "scale=smoke",
        "base_seed=9",
        "only=exploding_gradient/cliff",
        "--executor",
        executor,
        "--jobs",
        "2",
    ]
    code = (
        "import sys; from snakemake.cli import main; from snakemake.scheduling.job_scheduler import JobScheduler as Scheduler\n"
        "Scheduler.schedule = lambda self: not print('a limit' if self.job_rate_limiter else 'no limit')\n"
        "sys.argv[0] = 'snakemake'; main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *call], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert limited in done.stdout.splitlines(), done.stdout + done.stderr


def test_a_first_dry_run_lists_every_stack_once(checkout):
    if (checkout / "results" / "smoke" / "metrics").exists():
        pytest.skip("the stacks were trained by an earlier test")
    done = snakemake(checkout, "--dry-run")
    assert sorted(listed_stacks(done)) == sorted(planned_stacks())
    assert len(re.findall(rf"^to train: \d+ runs in {len(planned_stacks())} stacks", done.stdout, re.M)) == 1


def test_the_pipeline_runs_to_the_report(finished):
    folder, _ = finished
    results = folder / "results" / "smoke"
    tables = (
        "runs.csv",
        "verdicts.csv",
        "comparisons.csv",
        "plan/stacks.csv",
        "report/main.tex",
        "figures/summary.pdf",
    )
    assert [table for table in tables if not (results / table).is_file()] == []
    assert {path.stem for path in results.glob("metrics/*/*/*.parquet")} == planned_stacks()
    for plan in (read_plan(path) for path in results.glob("plan/*/*.json")):
        figures = {path.stem for path in (results / "figures" / plan.experiment.path).glob("*.pdf")}
        assert figures >= {figure.name for figure in plan.experiment.figures}
        assert (results / "summary" / f"{plan.experiment.path}.csv").is_file()


@pytest.mark.skipif(
    not (which("latexmk") and which("pdflatex")), reason="LaTeX is not installed: `make test` installs it"
)
def test_the_report_is_compiled(finished):
    folder, _ = finished
    assert (folder / "results" / "smoke" / "seven-terms.pdf").read_bytes().startswith(b"%PDF")


def test_progress_says_which_experiment_how_many_and_how_long(finished):
    _, done = finished
    lines = [line for line in done.stdout.splitlines() if line.startswith("trained ")]
    assert len(lines) == len(planned_stacks())
    assert re.fullmatch(r"trained \w+/\w+: stack \d+ of \d+, \d+ of \d+ stacks in all(, about .* left)?", lines[-2])
    assert lines[-1].endswith(f"{len(lines)} of {len(lines)} stacks in all")


def test_a_second_call_runs_no_job(finished):
    folder, _ = finished
    done = snakemake(folder)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout + done.stderr


def test_the_report_is_written_again_when_results_of_another_scale_are_published(finished):
    folder, _ = finished
    published = folder / "results" / "published" / "paper" / "verdicts.csv"
    published.parent.mkdir(parents=True)
    published.write_text("of another scale")
    try:
        done = snakemake(folder, "--dry-run", "--printshellcmds")
    finally:
        shutil.rmtree(published.parent)
    shown = done.stdout + done.stderr
    assert re.search(r"seven-terms report .* --beside results/published ", shown), shown[-2000:]
    remade = set(re.findall(r"^(?:local)?rule (\w+):", shown, re.MULTILINE))
    assert remade == {"tex", "pdf", "supplement", "page", "mirror", "all"}


def remade_rules(done: subprocess.CompletedProcess) -> Counter[str]:
    return Counter(re.findall(r"^(?:local)?rule (\w+):", done.stdout + done.stderr, re.MULTILINE))


def test_a_metrics_file_that_was_made_again_renews_all_that_is_read_from_it(finished):
    folder, _ = finished
    path = folder / "results" / "smoke" / "metrics" / min(planned_files("smoke"))
    before, whole = path.stat(), path.read_bytes()
    path.write_bytes(whole + b"another")
    try:
        remade = remade_rules(snakemake(folder, "--dry-run"))
    finally:
        path.write_bytes(whole)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert remade["summarize"] == 1
    assert {"runs", "verdicts", "power", "compare", "figure", "tex", "page", "mirror"} <= set(remade)


def test_snakemakes_report_shows_every_figure_with_its_caption(finished):
    folder, _ = finished
    done = snakemake(folder, "--report", "report.zip")
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(folder / "report.zip") as archive:
        names = {Path(name).name for name in archive.namelist()}
        page = archive.read("report/report.html").decode()
    for plan in (read_plan(path) for path in (folder / "results" / "smoke" / "plan").glob("*/*.json")):
        for figure in plan.experiment.figures:
            assert f"{figure.name}.png" in names
            beginning = re.match(r"[\w ]*", figure.caption)
            assert beginning
            assert f'"caption": "<p>{beginning[0]}' in page


def test_a_changed_arm_retrains_only_the_stacks_that_contain_it(finished):
    folder, _ = finished
    before = planned_stacks()
    init = folder / "experiments" / "__init__.py"
    text = init.read_text(encoding="utf-8")
    init.write_text(text + CHANGE, encoding="utf-8")
    try:
        listed = set(listed_stacks(snakemake(folder, "--dry-run")))
    finally:
        init.write_text(text, encoding="utf-8")
    changed: dict[str, Any] = {"EXPERIMENTS": EXPERIMENTS}
    exec(CHANGE, changed)
    plan = plans_at(changed["EXPERIMENTS"], "smoke")["batch_norm/mnist_2015"]
    arm = plan.experiment.arms[0].name
    holding = {
        key for key, stack in plan.stacks.items() if any(run.training.clipping.norm == 1e9 for run in stack.runs)
    }
    assert arm in {run.arm for key in holding for run in plan.stacks[key].runs}
    assert len(holding) < len(plan.stacks)
    assert listed == holding
    assert not listed & before


def test_unchanged_metrics_are_kept_when_the_change_is_taken_back(finished):
    folder, _ = finished
    started = time.time()
    done = snakemake(folder, "--quiet", "rules", "progress", "reason", "host")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path for path in folder.glob("results/smoke/metrics/*/*/*") if path.stat().st_mtime > started] == []
