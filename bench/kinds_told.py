"""What `python -m bench.kinds` says of its table: a line a kind, counts over all kinds, and the table of docs/speed.md."""

from __future__ import annotations

from typing import Any

import pandas as pd

JAX = ("JAX vmap", "JAX run by run")
FASTER = 1.2  # than the better of JAX's two forms: what ours should be


def line(rows: list[dict[str, Any]]) -> str:
    """Return the kind and size of the last row: microseconds per run and update of each way, and how many of ours."""
    name, size = rows[-1]["kind"], rows[-1]["num_runs"]
    of_kind = [row for row in rows if (row["kind"], row["num_runs"]) == (name, size)]
    told = [
        f"{row['way']} -: {row['reason']}"
        if row["reason"]
        else f"{row['way']} {row['microseconds']:.1f} ({row['times_ours']:.2f})"
        for row in of_kind
    ]
    return f"{name}, R = {size}, {rows[-1]['mode']}: {', '.join(told)}"


def summary(table: pd.DataFrame) -> str:
    """Return for how many kinds ours is how fast, by size, and the share of the floor by class of network."""
    lines = [""]
    for size, rows in table.groupby("num_runs"):
        wide = rows.pivot_table(index="kind", columns="way", values="times_ours", sort=False)
        if set(JAX) & set(wide):
            best = wide[[way for way in JAX if way in wide]].min(axis=1).dropna()
            lines += _counted(f"R = {size}: at least {FASTER} times as fast as the better form of JAX", best, FASTER)
        for way in wide:
            if way != "ours" and way not in JAX:
                lines += _counted(f"R = {size}: not slower than {way}", wide[way].dropna(), 1.0)
        refused = rows[rows["failed"].astype(bool)]
        lines += [
            f"R = {size}: no time of {row['way']}, {row['kind']}: {row['reason']}" for _, row in refused.iterrows()
        ]
    shares = table[table["way"] == "ours"].dropna(subset="share_of_floor")
    for (speed, size), rows in shares.groupby(["speed", "num_runs"]):
        share = rows["share_of_floor"]
        lines.append(
            f"{speed}, R = {size}: {share.median():.0%} of the floor (median; {share.min():.0%} to {share.max():.0%})"
        )
    return "\n".join(lines)


def _counted(what: str, values: pd.Series, least: float) -> list[str]:
    told = f"{what}: {int((values >= least).sum())} of {len(values)} kinds, median {values.median():.1f}"
    return [told, *(f"    {ratio:.2f} {kind}" for kind, ratio in values[values < least].sort_values().items())]


def markdown(table: pd.DataFrame) -> str:
    """Return the table of docs/speed.md: times of ours, and each way's multiple of them."""
    sizes = sorted(table["num_runs"].unique())
    told = ", ".join(str(size) for size in sizes)
    ways = [way for way in table["way"].unique() if way != "ours"]
    titles = ["kind", f"mode at R = {told}", "µs per run and update", "share of the floor", *ways]
    rows = [titles, ["---"] * len(titles)]
    for kind, of_kind in table.groupby("kind", sort=False):
        cells = {(row["way"], row["num_runs"]): row for _, row in of_kind.iterrows()}
        own = [cells[("ours", size)] for size in sizes if ("ours", size) in cells]
        modes = (
            list(dict.fromkeys(row["mode"] for row in own))
            if len({row["mode"] for row in own}) == 1
            else [row["mode"] for row in own]
        )
        shares = [
            f"{row['share_of_floor']:.0%}" if row["share_of_floor"] == row["share_of_floor"] else "–" for row in own
        ]
        rows.append(
            [
                str(kind),
                ", ".join(modes),
                ", ".join(_microseconds(row["microseconds"]) for row in own),
                ", ".join(shares) if set(shares) != {"–"} else "–",
                *(
                    ", ".join(_multiple(cells.get((way, size))) for size in sizes if way_at(way, size, table))
                    for way in ways
                ),
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def way_at(way: str, size: int, table: pd.DataFrame) -> bool:
    return bool(((table["way"] == way) & (table["num_runs"] == size)).any())


def _microseconds(value: float) -> str:
    return f"{value:,.1f}" if value >= 10 else f"{value:.2g}"


def _multiple(row: Any) -> str:
    if row is None or row["times_ours"] != row["times_ours"]:
        return "–"
    return f"{row['times_ours']:,.1f}" if row["times_ours"] < 20 else f"{row['times_ours']:,.0f}"
