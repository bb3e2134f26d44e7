"""From the experiments to the report: one rule per arrow of the data flow, in rules/.

Settings: scale, only, base_seed, compiling, wandb, experiments (a folder of one's own).
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from shlex import quote

from snakemake import benchmark as benchmarks
from snakemake.logging import logger
from snakemake.utils import min_version

min_version("9.20")
logger.addFilter(lambda record: not str(record.msg).startswith(("Select jobs to", "Execute ")))  # two lines a job
# A sample reads every process of the machine, for the memory of a client of the warm server: one a job, not two a second.
benchmarks.BENCHMARK_INTERVAL_SHORT = 3600
sys.path.insert(0, workflow.basedir)

from seven_terms.cli.errors import sentence
from seven_terms.cli.experiments import experiments_of
from seven_terms.cli.workflow import begin, count_jobs, read_settings, require_usable
from seven_terms.planning import cost_before, expected_seconds, num_gpus, plans_at, workload_of
from seven_terms.records.folder import scales_beside
from seven_terms.records.jobs import speed_tables
from seven_terms.records.sources import source_id
from seven_terms.running.at_work import will_work
from seven_terms.running.calls import CALL, name_call
from seven_terms.running.typesetting import engine
from seven_terms.running.warm import start_ahead
from seven_terms.tracking.mode import remove_failed, wandb_mode, wandb_runs, warning

os.environ.setdefault("WANDB_MODE", config.get("wandb") or "offline")
# Ids are hashes of the records, so a file's name says whether it is the right one: nothing else decides what is trained.
try:
    require_usable(str(workflow.basedir), os.getcwd())
    SETTINGS = read_settings(config, arguments=[] if workflow.is_main_process else sys.argv)
    require_usable(SETTINGS.experiments)
    WANDB_MODE, WANDB_RUNS = wandb_mode(), wandb_runs()
    CORES = workflow.resource_settings.cores  # None: a cluster's nodes
    if workflow.is_main_process and will_work(sys.argv[1:]):
        name_call()
        if CORES and not SETTINGS.folder.table("verdicts").is_file():  # there will be jobs
            AHEAD = start_ahead("--compiling", SETTINGS.compiling)
    EXPERIMENTS = experiments_of(SETTINGS.experiments_at(workflow.basedir))
    PLANS = plans_at(EXPERIMENTS, SETTINGS.scale, **SETTINGS.planning)
except (ValueError, OSError) as error:
    sys.exit(f"snakemake: {sentence(error) or error}")
if workflow.remote_exec:
    os.environ.update(SEVEN_TERMS_WARM="0")  # a cluster's job has its own devices and limits, and ends with its one stack
    os.environ.pop(CALL, None)  # and outlives the call that submitted it
FOLDER = SETTINGS.folder
RESULTS, SHARED = str(FOLDER.path), str(FOLDER.shared)
STACKS = {stack: record for plan in PLANS.values() for stack, record in plan.stacks.items()}
METRICS = {path: [str(FOLDER.metrics(path, stack)) for stack in plan.stacks] for path, plan in PLANS.items()}
ALL_METRICS = [metrics for paths in METRICS.values() for metrics in paths]
SUMMARIES = [str(FOLDER.summary(path)) for path in PLANS]
CLAIMS = [str(FOLDER.claims(path)) for path in PLANS]
TABLES = [str(FOLDER.table(name)) for name in ("runs", "timing", "verdicts", "noise_floor", "power", "comparisons")]
FIGURES = {f"{path}/{figure.name}": figure for path, plan in PLANS.items() for figure in plan.experiment.figures}
SPEED = {path.stem: str(path) for path in speed_tables(FOLDER.path)}
KEYS = [f"{path}/key" for path, plan in PLANS.items() if plan.experiment.figures]
PICTURES = [str(FOLDER.figure(name)) for name in (*FIGURES, *KEYS, "summary", *(f"speed/{name}" for name in SPEED))]
REPORT = [str(FOLDER.tex), str(FOLDER.page), *([str(FOLDER.pdf), str(FOLDER.supplement)] if engine() else [])]
BESIDE = f"{SETTINGS.results}/published"  # verdicts of other scales and seeds, put beside these
REPLICATION = [] if SETTINGS.base_seed else [str(path) for path in Path(BESIDE, SETTINGS.scale).glob("replication.csv")]
BESIDE_TABLES = sorted(str(path) for folder in scales_beside(Path(BESIDE), scale=SETTINGS.scale) for path in folder.glob("*.csv"))
PAPER_FOLDER = SETTINGS.paper_at(workflow.basedir)  # of a folder of one's own, what it has of sections, literature and text
TEXTS = {PAPER_FOLDER, Path(workflow.basedir, "paper")}
PAPER = sorted(str(path) for folder in TEXTS for path in folder.rglob("*") if path.is_file())
LITERATURE = [str(path) for path in [PAPER_FOLDER / "literature.yaml"] if path.is_file()]
# Snakemake does not make again what is missing between two files that are there, unless it is asked for: so all of it is.
WANTED = [*ALL_METRICS, *SUMMARIES, *CLAIMS, *TABLES, *PICTURES, *(path[:-3] + "png" for path in PICTURES), *REPORT]

if workflow.is_main_process and warning():
    logger.warning(f"seven-terms: {warning()}")
if workflow.output_settings.dryrun:
    logger.info(cost_before(PLANS, FOLDER.path, at_a_time=CORES))
elif workflow.is_main_process and will_work(sys.argv[1:]):
    try:
        HELD = begin(PLANS, FOLDER, WANTED, among=EXPERIMENTS, at_a_time=CORES)  # kept until this process ends
        remove_failed(Path(RESULTS, "wandb"))
    except (ValueError, OSError) as error:
        sys.exit(f"snakemake: {sentence(error) or error}")
# A dry run writes no plans, so one that is not there yet is no input of what it lists.
PLAN_FILES = {path: [str(FOLDER.plan(path))] if FOLDER.plan(path).is_file() else [] for path in PLANS}

report: "rules/captions/workflow.rst"


onstart:  # Snakemake knows now which jobs it will run
    if workflow.is_main_process:
        count_jobs(PLANS, FOLDER, [(job.rule.name, job.wildcards_dict.get("experiment", "")) for job in workflow.dag.needrun_jobs()])
    if workflow.is_main_process and workflow.local_exec:
        # Under a limit of jobs a second, which is for clusters, each round of the scheduler orders another one a second later,
        # and that one another: hundreds a second in the end, beside the training.
        workflow.scheduler.job_rate_limiter = None


wildcard_constraints:
    experiment="[a-z0-9_]+/[a-z0-9_]+",
    stack="[0-9a-f]+",
    figure=r"(?!key\b)[a-z0-9_]+",
    speed="[A-Za-z0-9_-]+",


rule all:
    default_target: True
    input:
        WANTED,
        [f"{RESULTS}/wandb/mirror.json"] if WANDB_MODE != "disabled" and find_spec("wandb") else [],
    localrule: True


include: "rules/training.smk"
include: "rules/analysis.smk"
include: "rules/report.smk"
include: "rules/tracking.smk"
