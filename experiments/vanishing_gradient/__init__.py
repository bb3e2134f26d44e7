"""One file a question; each holds one frozen Experiment value called `experiment`."""
