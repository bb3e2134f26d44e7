"""The report: verdicts, comparisons and runs in, LaTeX out. No number of the paper is typed by hand."""

from .comparisons import compare as compare
from .terminal import show as show
from .write import write_report as write_report
