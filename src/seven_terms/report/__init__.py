"""The report: verdicts, comparisons and runs in, LaTeX out. No number of the paper is typed by hand."""

from .comparisons import compare as compare
from .comparisons import merge_comparisons as merge_comparisons
from .inputs import Inputs as Inputs
from .inputs import read_inputs as read_inputs
from .terminal import show as show
from .write import write_report as write_report
