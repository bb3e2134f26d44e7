"""Speed beside the usual ways to run the same grid. Never part of the tests; `make bench` writes results/bench/."""
