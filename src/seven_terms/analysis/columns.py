"""What the columns of the frames hold, in which unit: (unit, meaning); a test holds them against the frames."""

from __future__ import annotations

from collections.abc import Mapping

Described = Mapping[str, tuple[str, str]]
SETTING = "<path>"  # a column for each setting that any experiment sweeps, named by its path into the training
FINAL = "final_<metric>"  # a column for each metric without an index

COLUMNS: Mapping[str, Described] = {
    "runs": {
        "run_id": ("", "key: a hash of the run's record"),
        "term": ("", "one of the terms"),
        "experiment": ("", "<term>/<name>"),
        "arm": ("", "the alternative's name within the experiment"),
        "arm_label": ("", "the alternative's name in print"),
        "seed": ("", "of initialization, data order and noise; equal seeds are paired across arms"),
        "status": ("", "completed or diverged"),
        "diverged_at_step": ("steps", "first step with a loss that is not finite, or too large; missing if completed"),
        "num_steps": ("steps", "as planned"),
        "steps_made": ("steps", "until the end, or until it diverged"),
        "batch_size": ("examples", "missing: the whole training split, or no data"),
        "duration_seconds": ("s", "the run's equal share of its stack's time"),
        "mode": ("", "eager, compiled or native: how the arithmetic was carried out"),
        "device": ("", "cpu, or the accelerator's name"),
        "stack": ("", "the runs that were trained together: names the metrics file"),
        "commit": ("", "of the code that trained it"),
        SETTING: (
            "",
            "the value in the run's training, swept there or not; a record by its class; missing: no such field",
        ),
        FINAL: ("the metric's", "last recorded value, as `Last` of a claim reads it: missing if the run diverged"),
    },
    "metrics": {
        "run_id": ("", "key, with step, metric and index"),
        "experiment": ("", "<term>/<name>"),
        "step": ("steps", "updates made before the measurement: 0 is the start"),
        "metric": ("", "its name; unit and direction stand in `quantities`"),
        "index": ("", "layer, lag, unit or coordinate; -1: the metric has none"),
        "value": ("the metric's", ""),
    },
    "quantities": {
        "metric": ("", "key, with experiment"),
        "experiment": ("", "<term>/<name>"),
        "unit": ("", "empty: a pure number, or that of the task's loss"),
        "direction": ("", "which way is better: min, max or none"),
        "index": ("", "what its indices count, empty where it has none"),
    },
    "summary": {
        "experiment": ("", "<term>/<name>"),
        "figure": ("", "the figure's name within the experiment"),
        "panel": ("", "from 0"),
        "series": ("", "the label of the runs, or of a line of theory; a split by a setting adds ', name = value'"),
        "x": ("see x_label", "step, index, swept value, time or first measure; of bars the place"),
        "y": (
            "",
            "of heatmaps the second swept value, of clouds the second measure, of bars and single lines the seed",
        ),
        "value": ("see y_label", "mean over seeds, share or single value"),
        "low": ("as value", "lower end of the 95 % interval, or of the band; missing: none"),
        "high": ("as value", "upper end"),
        "num_runs": ("runs", "behind the row; 0: theory"),
        "selected": ("", "JSON: settings chosen on validation data for this series, path -> value"),
        "title": ("", "of the panel; missing in published tables, as are the next four"),
        "x_label": ("", "what x is"),
        "y_label": ("", "what value is"),
        "log_x": ("", "whether the axis is logarithmic"),
        "log_y": ("", "whether the axis is logarithmic; then mean and interval are those of logarithms"),
    },
    "claims": {
        "claim": ("", "key, with form"),
        "form": ("", "'as said' or 'fair' for a doubtful statement, or which part of it is tested"),
        "term": ("", "one of the terms"),
        "experiment": ("", "<term>/<name>"),
        "statement": ("", "in words"),
        "source": ("", "who says it"),
        "verdict": ("", "supported, conditional, refuted or inconclusive"),
        "effect": ("see unit", "the estimate"),
        "low": ("see unit", "of the interval that decides: at the level of the claim's place in its family"),
        "high": ("see unit", "its upper end"),
        "low_alone": ("see unit", "of the 95 % interval of this claim alone"),
        "high_alone": ("see unit", "its upper end"),
        "unit": ("", "of effect and limits, in words"),
        "num_runs": ("runs", "behind the estimate"),
        "num_seeds": ("seeds", "independent units behind the interval; missing: nothing is random"),
        "num_undefined": ("runs", "finished, but without a finite value of what is measured"),
        "num_diverged": ("runs", "diverged"),
        "selected": ("", "JSON: arm -> the settings chosen for it on validation data, path -> value"),
        "p_value": ("", "two-sided, of this claim alone"),
        "p_holm": ("", "after Holm's correction over its family"),
        "family": ("", "primary: the statements under test; else a term: what others say of it"),
        "num_tests": ("", "the interval that decides has 1 - 5 % / num_tests"),
        "heterogeneity": ("", "p-value of a difference between two sets of seeds, where both are pooled"),
        "seeds_needed": ("seeds", "to decide with 80 % power, were effect and spread those observed"),
        "rule": ("", "in words"),
        "rule_low": ("see unit", "supported between this and rule_high"),
        "rule_high": ("see unit", "may be infinite, as may rule_low"),
        "condition": ("", "under which a conditional claim is supported"),
        "because": ("", "why this rule decides the statement"),
        "note": ("", "what to know about the estimate"),
        "definition": ("", "hash of what is estimated, from which trainings: only equal ones are pooled"),
        "sample": ("", "JSON: method and numbers per seed"),
    },
}


def described(frame: str, column: str) -> tuple[str, str] | None:
    """Return (unit, meaning) of a column; None for one that nobody describes."""
    known = COLUMNS[frame]
    if column in known or frame != "runs":
        return known.get(column)
    return (
        known[FINAL]
        if column.startswith("final_")
        else known[SETTING]
        if column.isidentifier() or "." in column
        else None
    )
