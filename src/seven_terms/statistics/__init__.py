"""Statistics: metrics in, summaries and verdicts out. Rates are chosen on validation data, seeds are the units."""

from .outputs import judge_together as judge_together
from .outputs import list_runs as list_runs
from .outputs import replicate as replicate
from .outputs import summarize as summarize
from .outputs import verdicts as verdicts
from .planned import power_table as power_table
