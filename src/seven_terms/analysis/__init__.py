"""Results for analysts: a folder of results as tidy frames, with what each column means and in which unit."""

from .columns import COLUMNS as COLUMNS
from .frames import Results as Results
from .frames import load as load
