"""Attacks on the suite: `make stress` runs all of them, within half an hour; `make test` runs a few of each."""
