"""Kaplan-Meier curves: the share of runs that still wait for an event, when some were stopped before it came."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from scipy import stats

from .intervals import LEVEL, wilson


def kaplan_meier(times: np.ndarray, budgets: np.ndarray) -> pd.DataFrame:
    """Return rows (time, share, low, high), a step function from time 0 to the last budget.

    `times` are infinite for runs that missed the event, which are censored at their budget. Pointwise 95 % intervals on
    the log-log scale with Greenwood's variance (Kalbfleisch and Prentice 1980, section 1.3), which stay in [0, 1]. Where
    nobody waits any longer the variance is undefined: the upper end is Wilson's for none of all.
    """
    seen = np.isfinite(times)
    ends = np.where(seen, times, budgets)
    curve = stats.ecdf(stats.CensoredData.right_censored(ends, ~seen)).sf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # scipy's, of the undefined ends that are replaced below
        bounds = curve.confidence_interval(LEVEL, method="log-log")
    columns = {"share": curve.probabilities, "low": bounds.low.probabilities, "high": bounds.high.probabilities}
    rows = pd.DataFrame({"time": curve.quantiles, **columns})
    rows = rows[rows["time"].isin(times[seen])]
    rows.loc[rows["share"] <= 0.0, ["low", "high"]] = 0.0, wilson(0, len(times)).high
    rows = pd.concat([pd.DataFrame([(0.0, 1.0, 1.0, 1.0)], columns=list(rows)), rows], ignore_index=True)
    last = rows.iloc[[-1]].assign(time=max(float(budgets.max()), float(rows["time"].iloc[-1])))
    return pd.concat([rows, last], ignore_index=True)
