"""Two scales side by side: published rows beside the report's own, what differs, on what they were trained, what is missing."""

from pathlib import Path

import pytest

from experiments import EXPERIMENTS
from experiments.batch_norm import devices, mnist_2015, parts
from experiments.gradient_clipping import temporal_order
from experiments.lr_schedule import noisy_quadratic
from experiments.vanishing_gradient import adding
from seven_terms.report.inputs import read_inputs
from seven_terms.report.scales import read_causes, scales_section

from .fabricate import CHOSEN, fabricate, publish_beside

MNIST, ORDER = mnist_2015.experiment, temporal_order.experiment
AMONG = (*CHOSEN, devices.experiment)


@pytest.fixture
def laptop(tmp_path):
    return fabricate(tmp_path / "laptop", among=AMONG)


@pytest.fixture
def published(tmp_path):
    return tmp_path / "published" / "paper"


def section(results, beside):
    return scales_section(read_inputs(results), beside)


def line(text: str, start: str) -> str:
    (found,) = (line for line in text.splitlines() if line.startswith(start))
    return found


def test_without_published_results_the_section_is_one_sentence(laptop, published):
    assert section(laptop, published) == (
        "\\section{Laptop and paper scale side by side}\\label{sec:scales-paper}\n\n"
        "No experiment of this report has published results of scale paper.\n"
    )
    assert section(laptop, None) == ""


def test_a_claim_stands_with_both_verdicts_effects_and_intervals(laptop, published):
    publish_beside(published, MNIST, verdict="refuted", effect=0.51, low=0.42, high=0.63)
    text = section(laptop, published)
    assert line(text, "BN1 (fair)") == (
        r"BN1 (fair) $\neq$ & \verdictword{inconclusive}{inconclusive} & $0.01$ [$-0.31$, $0.33$] "
        r"& \verdictword{refuted}{refuted} & $0.51$ [$0.42$, $0.63$] & times fewer steps \\"
    )
    assert [key in text for key in ("GC2", "SC2")] == [False, False]
    assert text.count(r"\multicolumn{6}{@{}l}{\emph{batch\_norm/mnist\_2015}} \\*") == 1


def test_it_counts_the_verdicts_that_agree_and_lists_those_that_do_not(laptop, published):
    publish_beside(published, MNIST, verdict="refuted")
    verdicts = read_inputs(laptop).verdicts
    own = verdicts[verdicts["experiment"] == MNIST.path]["verdict"]
    differ = [f"{key} ({verdict} at scale laptop, refuted)" for key, verdict in own.items() if verdict != "refuted"]
    text = section(laptop, published)
    assert 0 < len(differ) < len(own)
    assert f"of the ${len(own)}$ claims that both have. It differs for {'; '.join(differ)}." in text
    assert "Table~\\ref{tab:scales-paper} holds the claims of one experiment at scale laptop and at scale paper" in text


def test_many_that_differ_are_marked_and_not_listed(laptop, published, monkeypatch):
    monkeypatch.setattr("seven_terms.report.scales.MANY", 1)
    publish_beside(published, MNIST, verdict="refuted")
    text = section(laptop, published)
    assert r" Where it differs, $\neq$ stands." in text
    assert "at scale laptop, refuted" not in text


def test_it_says_on_what_published_results_were_trained_and_how_long(laptop, published):
    publish_beside(published, MNIST)
    text = section(laptop, published)
    assert r"Scale paper was trained on: AMD EPYC, 2 cores (Table~\ref{tab:origins-paper});" in text
    assert line(text, r"\path{batch_norm/mnist_2015}") == (
        r"\path{batch_norm/mnist_2015} & $1\,220$ & $24\,400\,000$ & 2 h 08 min & AMD EPYC, 2 cores & \texttt{0123456789ab} \\"
    )
    publish_beside(published, MNIST, ORDER, provenance=False)
    (published / "provenance.csv").unlink()
    text = section(laptop, published)
    assert "On what the published results of scale paper were trained is not recorded;" in text
    assert "tab:origins" not in text


def test_experiments_without_a_run_at_paper_scale_are_listed(laptop, published):
    publish_beside(published, MNIST, ORDER)
    assert section(laptop, published).endswith(
        "No results of scale paper are published yet for three of the $5$ experiments of scale paper: learning-rate "
        "schedule (\\path{budgets}, \\path{noisy_quadratic}); batch normalization (\\path{devices}).\n"
    )
    publish_beside(published, *AMONG)
    assert "published yet" not in section(laptop, published)


def test_an_experiment_that_only_the_larger_scale_has_gets_dashes(laptop, published):
    publish_beside(published, MNIST, devices.experiment)
    key = devices.experiment.at_scale("paper").claims[0].key
    text = section(laptop, published)
    assert rf"{key} & -- & -- & \verdictword" in text


def test_a_selection_tells_of_its_own_experiments_only(tmp_path, published):
    results = fabricate(tmp_path / "laptop", experiments=(MNIST,), among=CHOSEN)
    publish_beside(published, MNIST, ORDER)
    text = section(results, published)
    assert "GC2" not in text
    assert "temporal" not in text
    assert "No results of scale paper are published yet for two of the $4$ experiments of scale paper: " in text
    publish_beside(published, ORDER)
    assert "No experiment of this report has published results" in section(results, published)


def test_a_report_at_scale_paper_has_the_published_laptop_results_beside_it(tmp_path):
    results = fabricate(
        tmp_path / "paper", scale="paper", experiments=(MNIST, ORDER, adding.experiment), among=EXPERIMENTS
    )
    beside = publish_beside(tmp_path / "published" / "laptop", MNIST, noisy_quadratic.experiment, provenance=False)
    text = section(results, beside)
    assert r"\section{Laptop and paper scale side by side}" in text
    assert "those of scale laptop are published results" in text
    assert r"\textbf{claim} & \textbf{laptop} & " in text
    assert r"GC2 & -- & -- & \verdictword" in text
    assert "noisy" not in text
    assert "published yet" not in text


def test_claims_that_were_changed_since_they_were_published_are_named(laptop, published):
    publish_beside(published, MNIST)
    assert "were changed since then" not in section(laptop, published)
    publish_beside(published, MNIST, rule="above 3")
    assert "Statement, unit or rule were changed since then for BN1 (fair), " in section(laptop, published)


def test_a_folder_that_is_not_named_for_another_scale_is_refused(laptop, tmp_path):
    for name in ("laptop", "elsewhere"):
        with pytest.raises(ValueError, match="the last part of its path must be a scale other than the report's"):
            section(laptop, tmp_path / "published" / name)


def test_experiments_are_named_once_each(laptop, published):
    publish_beside(published, *CHOSEN, parts.experiment)
    text = section(laptop, published)
    for one in CHOSEN:
        assert text.count(rf"\path{{{one.path}}}") == 1


def test_a_verdict_that_differs_has_its_cause_beside_it(laptop, published):
    publish_beside(published, MNIST, verdict="refuted")
    inputs = read_inputs(laptop)
    differ = [
        key
        for key, row in inputs.verdicts.iterrows()
        if row["experiment"] == MNIST.path and row["verdict"] != "refuted"
    ]
    causes = {"paper": {differ[0]: "50 % more looks", "B-LR3": "of another experiment"}, "full": {differ[1]: "no"}}
    text = scales_section(inputs, published, causes=causes)
    assert f"\\item[{differ[0]}] 50\\,\\% more looks." in text or f"\\item[{differ[0]}] 50 \\% more looks." in text
    assert "another experiment" not in text
    assert f"\\item[{differ[1]}] no." not in text


def test_causes_are_given_for_claims_that_there_are():
    keys = {claim.key for one in EXPERIMENTS for claim in one.claims}
    causes = read_causes(Path(__file__).parents[2] / "paper")
    assert set(causes) <= {"full", "paper"}
    assert {key for of_scale in causes.values() for key in of_scale} <= keys


def test_a_cause_that_nobody_wrote_follows_from_the_intervals(laptop, published):
    publish_beside(published, MNIST, verdict="refuted")
    inputs = read_inputs(laptop)
    text = scales_section(inputs, published)
    assert "The two intervals overlap, and" in text or "The effects themselves differ, the" in text
