"""Kaplan-Meier curves: the share of runs that still wait for an event, when some were stopped before it came."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .intervals import Z, wilson


def kaplan_meier(times: np.ndarray, budgets: np.ndarray) -> pd.DataFrame:
    """Return rows (time, share, low, high), a step function from time 0 to the last budget.

    `times` are infinite for runs that missed the event, which are censored at their budget. Pointwise 95 % intervals on
    the log-log scale with Greenwood's variance (Kalbfleisch and Prentice 1980, section 1.3), which stay in [0, 1]. Where
    nobody waits any longer the variance is undefined: the upper end is Wilson's for none of all.
    """
    seen = np.isfinite(times)
    ends = np.where(seen, times, budgets)
    rows, share, greenwood = [(0.0, 1.0, 1.0, 1.0)], 1.0, 0.0
    for time in np.unique(ends[seen]):
        at_risk, events = int((ends >= time).sum()), int((ends[seen] == time).sum())
        share *= 1.0 - events / at_risk
        greenwood += events / (at_risk * (at_risk - events)) if at_risk > events else np.inf
        rows.append((float(time), share, *_log_log(share, greenwood, len(times))))
    rows.append((float(max(budgets.max(), rows[-1][0])), *rows[-1][1:]))
    return pd.DataFrame(rows, columns=["time", "share", "low", "high"])


def _log_log(share: float, greenwood: float, total: int) -> tuple[float, float]:
    if share <= 0.0:
        return 0.0, wilson(0, total).high
    reach = Z * np.sqrt(greenwood) / abs(np.log(share))
    return float(share ** np.exp(reach)), float(share ** np.exp(-reach))
