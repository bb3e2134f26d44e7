"""The pipeline on a real Slurm cluster: trained there, drawn here, and a node that dies on the way loses nothing."""

import itertools
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pandas as pd
import pytest

from experiments import EXPERIMENTS
from seven_terms.planning.selection import plans_at

from ..checkout import copy_checkout
from .slurm_cluster import SlurmCluster, running_cluster, why_not

pytestmark = pytest.mark.slow
# A job of the cluster starts Snakemake twice and PyTorch once: one experiment a term is trained there, the others here.
ON_CLUSTER = (
    "learning_rate/update_size",
    "lr_schedule/warmup",
    "lr_decay/step_drop",
    "vanishing_gradient/early_layers",
    "exploding_gradient/spikes",
    "batch_norm/mnist_2015",
    "gradient_clipping/temporal_order",
)
DEAD_NODE = "node2"
RESULTS = Path("results", "smoke")


@dataclass(frozen=True, kw_only=True)
class Training:
    """One training on the cluster; `stop` is infinite when it did not come to its end."""

    stack: str
    job: str
    node: str
    devices: str
    warm: str
    start: float
    stop: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    folder: Path
    status: int
    output: str
    trainings: list[Training]
    lost: set[str]  # stacks that were in training on the dead node
    accounts: dict[str, tuple[str, str]]  # job -> (state, resources), as sacct tells
    started: float


@pytest.fixture(scope="module")
def cluster():
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def outcome(cluster, project, tmp_path_factory):
    folder = copy_checkout(project, tmp_path_factory.mktemp("checkout"))
    train_here(folder)
    started = time.time()
    # Scheduled with a GPU, trained on the processor: the cluster's GPUs are names only.
    environment = {**cluster.environment, "SEVEN_TERMS_ACCELERATOR": "cpu"}
    with open(folder / "snakemake.log", "w+", encoding="utf-8") as log:
        words = ["--workflow-profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "3"]
        running = subprocess.Popen(command(*words), cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            lost = kill_a_node_in_the_middle(cluster, running)
            status = running.wait(timeout=900)
        finally:
            running.kill()
            running.wait()
        log.seek(0)
        output = log.read()
    return Outcome(
        folder=folder,
        status=status,
        output=output,
        trainings=trainings(cluster),
        lost=lost,
        accounts=accounts(cluster),
        started=started,
    )


def command(*arguments: str) -> list[str]:
    # Without our kernels, whose jobs ask for no GPU.
    return [sys.executable, "-m", "snakemake", *arguments, "--config", "scale=smoke", "compiling=torch"]


def planned_stacks(*, on_cluster: bool) -> dict[str, str]:
    """Return stack -> experiment of those that the test trains on the cluster, or of the others."""
    plans = plans_at(EXPERIMENTS, "smoke", compiling="torch")
    return {stack: path for path, plan in plans.items() for stack in plan.stacks if (path in ON_CLUSTER) == on_cluster}


def metrics_path(experiment: str, stack: str) -> Path:
    return RESULTS / "metrics" / experiment / f"{stack}.parquet"


def train_here(folder: Path) -> None:
    targets = [str(metrics_path(experiment, stack)) for stack, experiment in planned_stacks(on_cluster=False).items()]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command(*targets, "--cores", "2", "--quiet", "rules", "progress", "reason", "host"),
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def kill_a_node_in_the_middle(cluster: SlurmCluster, running: subprocess.Popen) -> set[str]:
    """Pull the plug of a node once it trains and others have finished something; return the stacks it was training."""
    deadline = time.monotonic() + 300
    while running.poll() is None and time.monotonic() < deadline:
        known = trainings(cluster)
        trains_there = any(one.node == DEAD_NODE and one.stop == float("inf") for one in known)
        if trains_there and any(one.stop < float("inf") for one in known):
            cluster.crash(DEAD_NODE)
            return {one.stack for one in trainings(cluster) if one.node == DEAD_NODE and one.stop == float("inf")}
        time.sleep(0.2)
    return set()


def trainings(cluster: SlurmCluster) -> list[Training]:
    """Return every training that started on the cluster, from what its `seven-terms` wrote down."""
    path = cluster.folder / "trainings"
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    ends = {(stack, job): float(moment) for event, moment, stack, job, *_ in lines if event == "end"}
    return [
        Training(
            stack=stack,
            job=job,
            node=node,
            devices=devices,
            warm=warm,
            start=float(moment),
            stop=ends.get((stack, job), float("inf")),
        )
        for event, moment, stack, job, node, devices, warm in lines
        if event == "start"
    ]


def accounts(cluster: SlurmCluster) -> dict[str, tuple[str, str]]:
    table = cluster.say(
        "sacct", "-X", "--noheader", "--parsable2", "--format=JobIDRaw,State,AllocTRES", "--starttime=today"
    )
    rows = (line.split("|") for line in table.splitlines())
    return {job: (state, resources) for job, state, resources in rows}


def test_stacks_trained_on_the_cluster_end_in_the_report(outcome):
    assert outcome.status == 0, outcome.output[-8000:]
    stacks = planned_stacks(on_cluster=True)
    assert {one.stack for one in outcome.trainings if one.stop < float("inf")} >= set(stacks)
    for stack, experiment in stacks.items():
        assert (outcome.folder / metrics_path(experiment, stack)).is_file()
    assert (outcome.folder / RESULTS / "verdicts.csv").is_file()
    if which("latexmk") and which("pdflatex"):
        assert (outcome.folder / RESULTS / "seven-terms.pdf").read_bytes().startswith(b"%PDF")


def test_what_was_trained_before_is_not_trained_again(outcome):
    before = [outcome.folder / metrics_path(path, stack) for stack, path in planned_stacks(on_cluster=False).items()]
    assert [path for path in before if path.stat().st_mtime > outcome.started] == []


def test_slurm_hands_out_the_gpus(outcome):
    assert len(outcome.accounts) >= len(planned_stacks(on_cluster=True))
    assert [account for account in outcome.accounts.values() if "gres/gpu=1" not in account[1]] == []
    assert {one.devices for one in outcome.trainings} == {"0", "1"}
    side_by_side = [
        (one, other)
        for one, other in itertools.combinations(outcome.trainings, 2)
        if one.node == other.node and max(one.start, other.start) < min(one.stop, other.stop)
        if one.stack not in outcome.lost and other.stack not in outcome.lost
    ]
    assert side_by_side, "no two jobs ran on one node at a time: the test has shown nothing"
    assert [pair for pair in side_by_side if pair[0].devices == pair[1].devices] == []


def test_jobs_share_no_process_with_other_jobs(outcome):
    assert {one.warm for one in outcome.trainings} == {"0"}


def test_a_dead_nodes_stacks_train_elsewhere_and_no_others_again(outcome):
    assert outcome.lost, "no stack was in training on the node when it died: the test has shown nothing"
    states = {job: state for job, (state, _) in outcome.accounts.items()}
    for stack in planned_stacks(on_cluster=True):
        *given_up, last = [one for one in outcome.trainings if one.stack == stack]
        assert [states[one.job] for one in given_up] == ["NODE_FAIL"] * len(given_up)
        assert states[last.job] == "COMPLETED"
        assert given_up or stack not in outcome.lost


def test_a_stack_that_was_lost_and_trained_again_has_the_numbers_it_has_here(outcome, tmp_path):
    stack = sorted(outcome.lost)[0]
    experiment = planned_stacks(on_cluster=True)[stack]
    plan, again = outcome.folder / RESULTS / "plan" / f"{experiment}.json", tmp_path / "again.parquet"
    words = ["train", "--plan", str(plan), "--stack", stack, "--output", str(again)]
    subprocess.run([sys.executable, "-m", "seven_terms", *words], cwd=outcome.folder, check=True, capture_output=True)
    pd.testing.assert_frame_equal(
        pd.read_parquet(outcome.folder / metrics_path(experiment, stack)), pd.read_parquet(again), check_exact=True
    )
