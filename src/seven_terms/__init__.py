"""Seven Terms: a measured companion to seven words nobody in machine learning can avoid."""

__version__ = "0.1.0"
