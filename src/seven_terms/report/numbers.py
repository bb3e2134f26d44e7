"""Every number of the prose as a LaTeX macro: counts of runs and verdicts, and each claim's effect by its key."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from .. import __version__
from ..records.provenance import commit, commit_time
from ..spec import LightningTraining
from .counting import count_macros, decided_twice
from .coverage import command
from .facts import Fact
from .inputs import Inputs
from .latex import count, effect, escape, estimate, in_words, interval
from .sentences import SAYABLE, in_full, said


def number_macros(inputs: Inputs, facts: Mapping[str, Fact]) -> str:
    """Return the \\newcommand lines and the claims' values."""
    verdicts, trained = inputs.verdicts, inputs.trained
    values = {
        "Scale": inputs.scale,
        "BaseSeed": str(inputs.base_seed),
        "CommitId": escape(commit()),
        "CommitDate": commit_date() or "undated",
        "NumTerms": in_words(len(inputs.terms)),
        "Experiments": f"{in_words(len(inputs.plans))} experiment{'' if len(inputs.plans) == 1 else 's'}{_of_all(inputs)}",
        "Command": command(inputs),
        "NumRuns": count(trained["num_runs"].sum()),
        "NumStacks": count(trained["num_stacks"].sum()),
        "NumDiverged": count(trained["num_diverged"].sum()),
        "Version": __version__,
        "Kernels": _kernels(inputs) + _lightning(inputs),
        "NumSteps": count(trained["num_steps"].sum()),
        "NumClaims": in_words(len(verdicts)) if len(verdicts) else "none",
        **{f"Num{word.capitalize()}": in_words(_num(inputs, word)) for word in SAYABLE},
        **count_macros(inputs, facts),
    }
    lines = [f"\\newcommand{{\\{name}}}{{{value}}}" for name, value in values.items()]
    lines.append("\\smoketrue" if inputs.scale == "smoke" else "\\smokefalse")
    lines.append("\\secondtrue" if decided_twice(facts.values())[0] else "\\secondfalse")
    return "\n".join([*lines, *_claim_values(inputs, facts), *_values_of_paper_alone(inputs)]) + "\n"


def _kernels(inputs: Inputs) -> str:
    """Return what the method says of our own kernels, nothing where no run went through them."""
    native = sum(run.mode == "native" for plan in inputs.plans for run in plan.every_run)
    planned = sum(len(plan.every_run) for plan in inputs.plans)
    if not native:
        return ""
    return (
        f" Small dense and recurrent networks under SGD, {count(native)} of {count(planned)} runs here, share "
        "batches and nothing else: kernels of our own train them one after the other inside the caches of a core, "
        "which is faster still."
    )


def _lightning(inputs: Inputs) -> str:
    """Return what the method says of LightningModules, nothing where no run is one."""
    runs = [run for plan in inputs.plans for run in plan.every_run if run.mode == "lightning"]
    if not runs:
        return ""
    modules = {run.training.module.name for run in runs if isinstance(run.training, LightningTraining)}
    names, plural = ", ".join(map(escape, sorted(modules))), "" if len(runs) == 1 else "s"
    return (
        f" Another way is that of LightningModules ({names}; {count(len(runs))} run{plural}): Lightning's own "
        "Trainer trains them one after the other, with their own optimizers and metrics; the seed is ours."
    )


def _of_all(inputs: Inputs) -> str:
    """Return what to say after the number of experiments when they are a selection."""
    total = count(len(inputs.plans) + len(inputs.left_out))
    return f", a selection of the {total} of scale {inputs.scale}," if inputs.left_out else ""


def _num(inputs: Inputs, verdict: str) -> int:
    return int((inputs.verdicts["verdict"].map(said) == verdict).sum())


def commit_date() -> str:
    """Return the day of the commit, e.g. "2026-01-31"; empty outside a checkout."""
    stamp = commit_time()
    return datetime.datetime.fromtimestamp(stamp, datetime.UTC).strftime("%Y-%m-%d") if stamp else ""


def _claim_values(inputs: Inputs, facts: Mapping[str, Fact]) -> list[str]:
    lines = []
    for key, row in inputs.verdicts.iterrows():
        values = {
            "effect": effect(row["effect"], row["low"], row["high"]),
            "interval": interval(row["low"], row["high"], beside=row["effect"]),
            "verdict": in_full(row["verdict"]),
            "numruns": count(row["num_runs"]),
            "numseeds": count(facts[str(key)].num_seeds),
            "estimate": facts[str(key)].estimate,
            "slug": facts[str(key)].slug,
            facts[str(key)].told: "yes",  # \whenclaim asks for this name
        }
        lines += [f"\\claimvalue{{{key}}}{{{name}}}{{{value}}}" for name, value in values.items()]
    return lines


def _values_of_paper_alone(inputs: Inputs) -> list[str]:
    """Return what sentences may say of claims that scale paper alone has, from its published verdicts."""
    elsewhere = {key for scale, verdicts in inputs.others.items() if scale != "paper" for key in verdicts.index}
    lines = []
    for key, row in inputs.others.get("paper", inputs.verdicts[:0]).iterrows():
        if key in inputs.verdicts.index or key in elsewhere:
            continue
        lines.append(f"\\claimvalue{{{key}}}{{estimate}}{{{estimate(row['effect'], row['low'], row['high'])}}}")
        lines.append(f"\\claimvalue{{{key}}}{{{said(row['verdict'])}}}{{yes}}")
    return lines
