"""The appendix: on what it ran, and how each figure leads back to its runs. No seconds: equal results give equal pages."""

from __future__ import annotations

from collections import Counter

from ..records.provenance import commit
from .inputs import WHERE, Inputs
from .latex import count, escape, longtable


def machine_table(inputs: Inputs) -> str:
    """Return hardware, versions and commits of the runs as rows of a table."""
    found = {
        name: "; ".join(sorted({one for cell in inputs.trained[name] for one in str(cell).split("; ")}))
        for name in WHERE
    }
    modes = Counter(run.mode for plan in inputs.plans for run in plan.every_run)
    facts = {
        "scale": f"{inputs.scale}, base seed {inputs.base_seed}",
        "commit of the report": commit(),
        "commits of the runs": found["commit"],
        "processor": f"{found['processor']}, {found['num_cores']} cores",
        "device of the runs": found["device"],
        "arithmetic of the runs": ", ".join(f"{mode} {number:,}" for mode, number in sorted(modes.items())),
        "Python": found["python"],
        "packages": found["versions"],
    }
    lines = [f"{escape(name)} & {escape(value)} \\\\" for name, value in facts.items()]
    return "\n".join([r"\begin{tabular}{@{}lP{0.68\linewidth}@{}}\toprule", *lines, r"\bottomrule\end{tabular}", ""])


def cost_table(inputs: Inputs) -> str:
    """Return runs, stacks and updates of each experiment."""
    rows = []
    for path, row in inputs.trained.iterrows():
        numbers = [count(row[name]) for name in ("num_runs", "num_stacks", "num_steps", "num_diverged")]
        rows.append([rf"\path{{{path}}}", *numbers])
    return longtable(
        "lrrrr",
        header=("experiment", "runs", "stacks", "updates", "diverged"),
        rows=rows,
        caption="What was trained. How long that took where it ran stands in \\texttt{timing.csv} of the results.",
        label="tab:cost",
    )
