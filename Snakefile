"""From the experiments to the report: one rule per arrow of the data flow, in rules/. Settings: scale, only, base_seed, compiling."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from snakemake.logging import logger
from snakemake.utils import min_version

min_version("9.20")
logger.addFilter(lambda record: not str(record.msg).startswith(("Select jobs to", "Execute ")))  # two lines a job
sys.path.insert(0, workflow.basedir)

from experiments import EXPERIMENTS
from seven_terms.records.jobs import speed_tables
from seven_terms.planning import cost_before, expected_seconds, num_gpus, plans_at, workload_of, write_plans
from seven_terms.records.sources import source_id
from seven_terms.running.stale_locks import remove_stale_locks
from seven_terms.tracking.mode import wandb_mode, wandb_runs, warning

SCALE = config.get("scale", "laptop")
BASE_SEED = int(config.get("base_seed", 0))
RESULTS = f"results/{SCALE}-seed{BASE_SEED}" if BASE_SEED else f"results/{SCALE}"
os.environ.setdefault("WANDB_MODE", config.get("wandb", "offline"))
if workflow.remote_exec:
    os.environ.update(SEVEN_TERMS_WARM="0")  # a cluster's job has its own devices and limits, and ends with its one stack
ALIVE = remove_stale_locks(Path(".snakemake")) if workflow.is_main_process else None

# Ids are hashes of the records, so a file's name says whether it is the right one: nothing else decides what is trained.
SETTINGS = {"base_seed": BASE_SEED, "compiling": config.get("compiling", "auto"), "only": str(config.get("only", ""))}
try:
    WANDB_MODE, WANDB_RUNS = wandb_mode(), wandb_runs()
    PLANS = plans_at(EXPERIMENTS, SCALE, **SETTINGS)
except ValueError as error:  # a name that no experiment has, a mode that W&B has not
    sys.exit(f"snakemake: {error}")
if workflow.is_main_process:
    write_plans(PLANS, Path(RESULTS), among=EXPERIMENTS)
if workflow.is_main_process and warning():
    logger.warning(f"seven-terms: {warning()}")
if workflow.output_settings.dryrun:
    logger.info(cost_before(PLANS, Path(RESULTS)))
PLAN_FILES = [f"{RESULTS}/plan/{path}.json" for path in PLANS]
STACKS = {stack: record for plan in PLANS.values() for stack, record in plan.stacks.items()}
METRICS = {path: [f"{RESULTS}/metrics/{path}/{stack}.parquet" for stack in plan.stacks] for path, plan in PLANS.items()}
ALL_METRICS = [metrics for paths in METRICS.values() for metrics in paths]
SUMMARIES = [f"{RESULTS}/summary/{path}.csv" for path in PLANS]
CLAIMS = [f"{RESULTS}/claims/{path}.csv" for path in PLANS]
FIGURES = {f"{path}/{figure.name}": figure for path, plan in PLANS.items() for figure in plan.experiment.figures}
SPEED = {path.stem: str(path) for path in speed_tables(Path(RESULTS))}
REPLICATION = [] if BASE_SEED else [str(path) for path in Path("results/published", SCALE).glob("replication.csv")]
BESIDE = f"results/published/{'laptop' if SCALE == 'paper' else 'paper'}"  # another scale's verdicts, put beside these
PAPER = sorted(str(path) for path in Path(workflow.basedir, "paper").rglob("*") if path.is_file())
LATEXMK = "latexmk -cd -pdf -interaction=nonstopmode -halt-on-error"
LATEX = LATEXMK if which("latexmk") and which("pdflatex") else which("tectonic")

report: "rules/captions/workflow.rst"


wildcard_constraints:
    experiment="[a-z_]+/[a-z0-9_]+",
    stack="[0-9a-f]+",
    figure="[a-z0-9_]+",
    speed="[A-Za-z0-9_-]+",


rule all:
    default_target: True
    input:
        f"{RESULTS}/seven-terms.pdf" if LATEX else f"{RESULTS}/report/main.tex",
        [f"{RESULTS}/wandb/mirror.json"] if WANDB_MODE != "disabled" and find_spec("wandb") else [],
    localrule: True


include: "rules/training.smk"
include: "rules/analysis.smk"
include: "rules/report.smk"
include: "rules/tracking.smk"
