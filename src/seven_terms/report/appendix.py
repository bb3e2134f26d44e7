"""The appendix: on what and how long it ran, and how each figure leads back to its runs."""

from __future__ import annotations

from collections import Counter

from ..records.jobs import IDLE, STAGES, finished_jobs
from ..records.provenance import provenance
from .inputs import Inputs
from .latex import count, escape, longtable, number


def machine_table(inputs: Inputs) -> str:
    """Return hardware, versions and commits as rows of a table."""
    found = provenance()
    commits, devices = (", ".join(sorted(set(inputs.trained[name].astype(str)))) for name in ("commit", "device"))
    modes = Counter(run.mode for plan in inputs.plans for run in plan.runs.values())
    facts = {
        "scale": f"{inputs.scale}, base seed {inputs.base_seed}",
        "commit of the report": found["commit"],
        "commits of the runs": commits,
        "processor": f"{found['processor']}, {found['num_cores']} cores",
        "device of the runs": devices,
        "arithmetic of the runs": ", ".join(f"{mode} {number:,}" for mode, number in sorted(modes.items())),
        "Python": found["python"],
        **{name: version for name, version in found["versions"].items()},
    }
    lines = [f"{escape(name)} & {escape(value)} \\\\" for name, value in facts.items()]
    return "\n".join([r"\begin{tabular}{@{}lP{0.68\linewidth}@{}}\toprule", *lines, r"\bottomrule\end{tabular}", ""])


def cost_table(inputs: Inputs) -> str:
    """Return runs, stacks, updates and training time of each experiment."""
    rows = []
    for path, row in inputs.trained.iterrows():
        numbers = [count(row[name]) for name in ("num_runs", "num_stacks", "num_steps", "num_diverged")]
        rows.append([rf"\path{{{path}}}", *numbers, number(row["seconds"])])
    return longtable(
        "lrrrrr",
        header=("experiment", "runs", "stacks", "updates", "diverged", "training (s)"),
        rows=rows,
        caption="What was trained. Seconds are the sum over stacks on the device above; two stacks run side by side.",
        label="tab:cost",
    )


def stages_table(inputs: Inputs) -> str:
    """Return how many jobs each stage of the pipeline took and their seconds, from the pipeline's own benchmarks."""
    jobs = finished_jobs(inputs.results_dir)
    if not jobs:
        return "The pipeline's stages were not timed.\n"
    rows = []
    for stage in dict.fromkeys([*STAGES.values(), IDLE]):
        own = [job.stop - job.start for job in jobs if STAGES.get(job.rule, IDLE) == stage]
        if own:
            rows.append([escape(stage), count(len(own)), number(sum(own))])
    return longtable(
        "lrr",
        header=("stage", "jobs", "time (s)"),
        rows=rows,
        caption="Time by stage, start-up of each job included, summed over jobs; this page's own compilation is missing.",
        label="tab:stages",
    )
