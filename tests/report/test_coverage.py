"""A report of a selection says what it holds, tells of nothing else, and is not held to sentences about the whole."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from experiments.batch_norm import mnist_2015, parts
from experiments.gradient_clipping import temporal_order
from experiments.vanishing_gradient import adding
from seven_terms.records.tables import REPLICATION, read_csv, write_csv
from seven_terms.report import write_report

from .fabricate import CHOSEN, fabricate, open_paper, set_verdict

PAPER = Path(__file__).parents[2] / "paper"
AMONG = (*CHOSEN, parts.experiment)


@pytest.fixture
def written(tmp_path):
    """Return what writes the report of some experiments, and reads one of its generated texts."""

    def write(results: Path, name: str, *, paper: Path = PAPER) -> str:
        write_report(results, paper, results / "report")
        return (results / "report" / f"{name}.tex").read_text()

    return write


@pytest.fixture
def selection(tmp_path):
    return fabricate(tmp_path / "laptop", experiments=(mnist_2015.experiment, temporal_order.experiment), among=AMONG)


def test_a_selection_is_named_in_the_abstract_the_introduction_and_the_command(selection, written):
    numbers = written(selection, "generated/numbers")
    assert r"\newcommand{\Experiments}{two experiments, a selection of the $5$ of scale laptop,}" in numbers
    assert (
        r"\newcommand{\Command}{\texttt{make report SCALE=laptop ONLY=\textquotedbl{}batch\_norm/\allowbreak{}"
        r"mnist\_2015 gradient\_clipping\textquotedbl{}}}"
    ) in numbers
    told = written(selection, "generated/coverage")
    assert told.startswith(
        r"\paragraph{What this report covers.} Of the $5$ experiments of scale laptop this report holds two: Batch "
        r"normalization on MNIST, as in 2015 (\S\ref{exp:mnist_2015}); "
    )


def test_a_whole_report_at_the_scale_of_the_text_says_nothing_of_it(tmp_path, written):
    results = fabricate(tmp_path / "full", scale="full")
    open_paper(PAPER, tmp_path / "open")
    assert written(results, "generated/coverage", paper=tmp_path / "open") == "%\n"
    numbers = (results / "report/generated/numbers.tex").read_text()
    assert r"\newcommand{\Experiments}{four experiments}" in numbers
    assert r"\newcommand{\Command}{\texttt{make report SCALE=full}}" in numbers


def test_prose_on_experiments_that_were_not_selected_is_left_out(selection, written):
    terms = written(selection, "generated/terms")
    assert "Batch normalization~\\citep{ioffe2015batch} replaces each unit's input" in terms
    assert r"\begin{questionunit}{Batch normalization on MNIST, as in 2015}{exp:mnist_2015}" in terms
    assert "Learned gain and shift" not in terms
    assert "Clip recurrent networks" in terms


def test_a_sentence_that_a_selection_contradicts_is_left_out_and_named(selection, written):
    set_verdict(selection, "GC2", verdict="supported")
    set_verdict(selection, "B-BN11", verdict="inconclusive")
    assert written(selection, "generated/coverage").endswith(
        "Sentences of it that assert another verdict than the one found here are left out: B-BN11.\n"
    )
    set_verdict(selection, "B-BN11", verdict="supported")
    assert "left out: " not in written(selection, "generated/coverage")


@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_another_scale_says_which_one_the_text_was_written_for(scale, tmp_path, written):
    results = fabricate(tmp_path / scale, scale=scale)
    assert "The text was written for scale full" in written(results, "generated/coverage")


def test_an_experiment_without_claims_makes_a_report(tmp_path, written):
    results = fabricate(
        tmp_path / "laptop", experiments=(dataclasses.replace(adding.experiment, claims=()),), among=AMONG
    )
    assert r"\begin{claimlines}" not in written(results, "generated/terms")
    assert r"\newcommand{\NumClaims}{none}" in written(results, "generated/numbers")


def test_the_replication_counts_the_claims_of_the_report_only(selection, written):
    verdicts = read_csv(selection / "verdicts.csv", kind="verdicts").set_index(["claim", "form"])
    own = {"definition": verdicts["definition"][("BN1", "fair")]}
    rows = [
        {"claim": "BN1", "form": "fair", **own},
        {"claim": "B-LR3", "form": "", **own},
        {"claim": "GC2", "form": "", "definition": "of other runs"},
    ]
    found = {"first": "supported", "second": "refuted", "agree": False, "effect": 1.0, "low": 0.5, "high": 1.5}
    table = pd.DataFrame([row | found for row in rows]).reindex(columns=list(REPLICATION))
    write_csv(table, selection / "replication.csv", kind="replication")
    told = written(selection, "generated/replication")
    assert "the same for $0$ of $1$ claims" in told
    assert "B-LR3" not in told
    assert "GC2" not in told
