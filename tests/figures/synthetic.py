"""Summary tables of each kind of content, made up but shaped as the statistics stage writes them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from seven_terms.records.tables import SPEED, SUMMARY
from seven_terms.spec import (
    Bars,
    Cloud,
    Curve,
    Diverged,
    Figure,
    Heatmap,
    Last,
    Panel,
    Reference,
    Selected,
    StepsTo,
    Survival,
    SweepCurve,
)

LOSS = Last("test_loss")


def table(figure: str, rows: list[dict], *, panel: int = 0) -> pd.DataFrame:
    filled = [{"experiment": "batch_norm/made_up", "figure": figure, "panel": panel, **row} for row in rows]
    return pd.DataFrame(filled).reindex(columns=list(SUMMARY))


def runs(*labels: str) -> dict[str, Selected]:
    return {label: Selected(label) for label in labels}


def panel(content: object, **changes: object) -> Panel:
    given = {"title": "A panel", "content": content, "x_label": "step", "y_label": "loss (nats)", **changes}
    return Panel(**given)


def figure(*panels: Panel, name: str = "made_up") -> Figure:
    return Figure(name=name, caption="Made-up numbers.", panels=panels)


def curve(labels: tuple[str, ...], *, band: float = 0.1, points: int = 30) -> list[dict]:
    steps = np.linspace(0, 2000, points)
    rows = []
    for number, label in enumerate(labels):
        value = np.exp(-steps / (300 + 250 * number)) + 0.05 * (number + 1)
        rows += [
            {"series": label, "x": x, "value": y, "low": y * (1 - band), "high": y * (1 + band), "num_runs": 5}
            for x, y in zip(steps, value, strict=True)
        ]
    return rows


def sweep(labels: tuple[str, ...], values: tuple) -> list[dict]:
    return [
        {"series": label, "x": x, "value": y, "low": y - 0.08, "high": y + 0.08, "num_runs": 10}
        for number, label in enumerate(labels)
        for place, x in enumerate(values)
        for y in [0.9 - 0.25 * number * place / len(values) - 0.02 * place]
    ]


def survival(labels: tuple[str, ...]) -> list[dict]:
    return [
        {"series": label, "x": x, "value": s, "low": max(s - 0.2, 0), "high": min(s + 0.15, 1), "num_runs": 10}
        for number, label in enumerate(labels)
        for x, s in zip((0, 300 * (number + 1), 900, 1500, 3000), (1.0, 0.8, 0.5, 0.3, 0.3 * number), strict=True)
    ]


def bars(labels: tuple[str, ...], *, seeds: int = 5) -> list[dict]:
    rows = []
    for number, label in enumerate(labels):
        mean = 0.4 + 0.15 * number
        rows.append({"series": label, "value": mean, "low": mean - 0.05, "high": mean + 0.05, "num_runs": seeds})
        rows += [
            {"series": label, "y": seed, "value": mean + 0.03 * (seed - 2), "num_runs": 1} for seed in range(seeds)
        ]
    return rows


def heatmap(xs: tuple, ys: tuple) -> list[dict]:
    return [
        {"series": "", "x": x, "y": y, "value": float("nan") if i + j > 5 else 10.0 ** (i - j), "num_runs": 5}
        for i, x in enumerate(xs)
        for j, y in enumerate(ys)
    ]


def cloud(labels: tuple[str, ...]) -> list[dict]:
    generator = np.random.default_rng(0)
    return [
        {"series": label, "x": x, "y": y, "num_runs": 1}
        for number, label in enumerate(labels)
        for x, y in generator.lognormal(number, 0.5, size=(20, 2))
    ]


SCHEDULES = ("constant", "step", "exponential", "cosine", "linear to zero", "one-cycle", "warm-up + cosine", "WSD")
MANY = (*SCHEDULES, "inverse square root", "cosine with restarts")
CLIPS = ("no clipping", "clip by norm", "clip by value")
TWO = ("plain", "batch norm")

# name of the kind -> (panel, rows)
KINDS: dict[str, tuple[Panel, list[dict]]] = {
    "curve": (
        panel(Curve(metric="test_loss", runs=runs(*TWO)), references=(Reference(label="entropy floor", y=0.08),)),
        curve(TWO),
    ),
    "curve_log": (
        panel(
            Curve(metric="test_loss", runs=runs(*TWO)), log_y=True, references=(Reference(label="theory", theory="t"),)
        ),
        curve(TWO, band=1.2) + [{"series": "theory", "x": x, "value": 0.9} for x in (0, 2000)],
    ),
    "sweep": (
        panel(SweepCurve(measure=LOSS, over="length", runs=runs(*CLIPS)), x_label="sequence length"),
        sweep(CLIPS, (20, 30, 40)),
    ),
    "sweep_many": (
        panel(SweepCurve(measure=LOSS, over="num_steps", runs=runs(*MANY)), x_label="budget (steps)", log_x=True),
        sweep(MANY, (150, 500, 1500)),
    ),
    "sweep_named": (
        panel(SweepCurve(measure=LOSS, over="activation", runs=runs(*TWO)), x_label="activation"),
        sweep(TWO, ("relu", "tanh", "sigmoid")),
    ),
    "survival": (
        panel(Survival(measure=StepsTo("test_error", below=0.01), runs=runs(*CLIPS)), y_label="share unsolved"),
        survival(CLIPS),
    ),
    "bars": (panel(Bars(measure=LOSS, runs=runs(*TWO)), x_label=""), bars(TWO)),
    "bars_many": (
        panel(Bars(measure=LOSS, runs=runs(*MANY)), log_y=True, references=(Reference(label="1/2", y=0.5),)),
        bars(MANY),
    ),
    "heatmap": (
        panel(Heatmap(measure=Diverged(), x="learning_rate", y="scale", runs=Selected("plain")), x_label="rate"),
        heatmap((0.03, 0.1, 0.3, 1.0), (0.01, 0.03, 0.1, 0.3)),
    ),
    "cloud": (panel(Cloud(x=LOSS, y=LOSS, runs=runs(*TWO)), log_x=True, log_y=True), cloud(TWO)),
}


def speed_table() -> pd.DataFrame:
    """Return a table of `make bench`: two workloads, three sizes, one and two threads, and a whole grid."""
    ways = {
        "ours, eager": 2e-4,
        "JAX, vmap and scan": 3e-4,
        "plain PyTorch loop": 8e-4,
        "Lightning, a process per run": 12.3456e-3,
    }
    rows = [
        {"workload": workload, "contender": way, "num_threads": threads, "num_runs": size}
        | _speed(seconds, size, stacked=seconds < 5e-4)
        for workload in ("mlp", "rnn_30")
        for size in (1, 8, 32)
        for threads in (1, 2)
        for way, seconds in ways.items()
        if threads == 1 or seconds < 5e-4
    ]
    whole = {"workload": "mlp_whole_grid", "num_threads": 2, "num_runs": 120}
    rows += [whole | {"contender": way} | _speed(seconds, 120, stacked=seconds < 5e-4) for way, seconds in ways.items()]
    hardware = {"device": "cpu", "processor": "AMD EPYC", "num_cores": 2, "commit": "0123456789ab"}
    return pd.DataFrame(rows).assign(**hardware, measured_on="2026-01-31")[list(SPEED)]


def _speed(seconds: float, size: int, *, stacked: bool) -> dict[str, object]:
    return {
        "num_steps": 2000,
        "basis": "measured" if stacked or size == 1 else "extrapolated",
        "measured_runs": size if stacked else 1,
        "measured_steps": 300,
        "rounds": 5,
        "seconds_per_run_step": seconds,
        "least": 0.9 * seconds,
        "most": 1.2 * seconds,
        "times_ours": seconds / 2e-4,
        "start_seconds": 4.5,
        "total_seconds": 2000 * size * seconds,
        "floor_seconds": 1e-4,
        "share_of_floor": 1e-4 / seconds,
        "product_rate": 9e10,
        "peak_memory_bytes": (400 + (1.5 * size if stacked else 0)) * 2**20,
        "loss_difference": 1e-6,
        "distance_difference": 1e-6,
        "valid": True,
    }
