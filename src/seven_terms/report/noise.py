"""The noise floors: arms against themselves with other seeds."""

from __future__ import annotations

from .inputs import Inputs
from .latex import count, effect, escape, interval, longtable


def noise_floor_table(inputs: Inputs) -> str:
    """Return the differences of arms from themselves under other seeds."""
    if inputs.noise_floor.empty:
        return "No experiment of this report has an A/A arm.\n"
    rows = [
        [
            escape(row["experiment"].rpartition("/")[2]),
            escape(str(row["metric"]).replace("_", " ")),
            effect(row["difference"], row["low"], row["high"]),
            interval(row["low"], row["high"], beside=row["difference"]),
            count(row["num_runs"]),
        ]
        for _, row in inputs.noise_floor.iterrows()
    ]
    return longtable(
        r"lP{0.28\linewidth}rrr",
        header=("experiment", "metric", "difference", "95\\,\\% interval", "runs"),
        rows=rows,
        caption="The noise floor: each experiment's A/A arm, which is an arm against itself with other seeds. "
        "The two sets of seeds are unpaired, while claims compare runs seed by seed and so see smaller differences.",
        label="tab:noise",
    )
