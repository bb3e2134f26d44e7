"""The report is written from the results alone, refuses what is missing, and compiles."""

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from experiments.batch_norm import mnist_2015
from experiments.gradient_clipping import temporal_order
from seven_terms.figures import draw, draw_key, draw_speed, draw_terms, summary_page
from seven_terms.planning.selection import make_plan
from seven_terms.records.plans import read_plan
from seven_terms.records.tables import read_csv, write_csv
from seven_terms.report import compare, show, write_report
from seven_terms.report.appendix import machine_table
from seven_terms.report.counting import count_macros
from seven_terms.report.facts import facts_of
from seven_terms.report.inputs import read_inputs
from seven_terms.report.latex import estimate, in_words
from seven_terms.report.numbers import number_macros
from seven_terms.report.sentences import said
from seven_terms.spec import TERMS, VERDICTS

from ..figures.synthetic import speed_table
from .fabricate import CHOSEN, fabricate, open_paper, publish_beside, set_verdict

PAPER = Path(__file__).parents[2] / "paper"


@pytest.fixture
def results(tmp_path):
    open_paper(PAPER, tmp_path / "open")
    return fabricate(tmp_path / "laptop")


def written(results: Path, name: str) -> str:
    write_report(results, results.parent / "open", results / "report")
    return (results / "report" / "generated" / f"{name}.tex").read_text()


def test_each_present_term_has_a_section_and_each_experiment_its_unit_and_its_record(results):
    terms = written(results, "terms")
    assert re.findall(r"\\label\{term:(\w+)\}", terms) == ["lr_schedule", "batch_norm", "gradient_clipping"]
    assert r"\begin{questionunit}{Batch normalization on MNIST, as in 2015}{exp:mnist_2015}" in terms
    assert r"\pictured{../figures/batch_norm/mnist_2015/key.pdf}" in terms
    record = (results / "report/generated/record.tex").read_text()
    assert r"\subsection{Batch normalization on MNIST, as in 2015}\label{exp:mnist_2015}" in record
    assert r"\pictured{../figures/batch_norm/mnist_2015/training.pdf}" in record


def test_an_experiment_without_hand_written_text_still_appears_with_a_generated_one(results, tmp_path):
    paper = open_paper(PAPER, tmp_path / "paper")
    (paper / "sections/batch_norm.tex").write_text("Prose without experiments.\n")
    write_report(results, paper, results / "report")
    terms = (results / "report/generated/terms.tex").read_text()
    assert "{exp:mnist_2015}" in terms
    assert "Three layers of 100 sigmoid units classify binarized digits" in terms
    assert "The results " in terms


def test_a_claim_is_one_line_in_the_text_and_has_its_rule_in_the_record(results):
    set_verdict(results, "BN1 (fair)", verdict="supported", effect=2.31, low=1.87, high=2.84, p_holm=0.003)
    terms = written(results, "terms")
    line = next(line for line in terms.splitlines() if line.startswith(r"\claimline{BN1-fair}"))
    assert r"\href{seven-terms-supplement.pdf\#BN1-fair}{BN1 (fair)}" in line
    assert "$2.31$ [$1.87$, $2.84$] times fewer steps" in line
    assert r"\verdictword{supported}{supported}." in line
    record = (results / "report/generated/record.tex").read_text()
    assert r"\begin{claimrecord}{BN1-fair}{BN1 (fair)}{supported}{supported}" in record
    assert "The whole interval satisfies the rule ($p$ = $0.0030$ after Holm)." in record
    assert "supported if the interval lies above 1, because a ratio of steps above 1 is a speed-up" in record


def test_the_note_of_a_verdict_replaces_the_usual_reason(results):
    set_verdict(results, "GC2", note="supported alone, but p = 0.06 after Holm's correction over all claims")
    assert "Supported alone, but p = 0.06 after Holm's correction" in written(results, "record")


def test_a_verdict_that_turns_at_another_scale_depends_on_it(results, tmp_path):
    set_verdict(results, "BN1 (fair)", verdict="supported", effect=2.31, low=1.87, high=2.84)
    beside = publish_beside(tmp_path / "published" / "paper", mnist_2015.experiment)
    set_verdict(beside, "BN1 (fair)", verdict="refuted", effect=0.7, low=0.6, high=0.8)
    write_report(results, results.parent / "open", results / "report", beside=[beside])
    terms = (results / "report/generated/terms.tex").read_text()
    line = next(line for line in terms.splitlines() if line.startswith(r"\claimline{BN1-fair}"))
    assert (
        r"at paper scale $0.70$ [$0.60$, $0.80$]: \verdictword{refuted}{refuted}; \textbf{depends on the scale}."
        in line
    )


def test_the_same_runs_at_both_scales_are_no_agreement(results, tmp_path):
    beside = publish_beside(tmp_path / "published" / "paper", mnist_2015.experiment)
    for folder in (results, beside):
        set_verdict(folder, "BN1 (fair)", verdict="supported", effect=2.31, low=1.87, high=2.84, num_runs=10)
    facts = facts_of(read_inputs(results, beside=[beside]))
    assert [other.is_same_run for other in facts["BN1 (fair)"].others] == [True]
    assert facts["BN1 (fair)"].beside == ()


def test_only_larger_scales_count_as_larger_and_only_pooled_verdicts_as_pooled(results, tmp_path):
    """Scale smoke lies below the report's; of the decided claims one has a second set of seeds in its verdict."""
    smaller = publish_beside(tmp_path / "published" / "smoke", mnist_2015.experiment, temporal_order.experiment)
    larger = publish_beside(tmp_path / "published" / "paper", mnist_2015.experiment)
    for folder in (results, smaller):
        set_verdict(folder, "GC2", verdict="supported", effect=0.5, low=0.2, high=0.7, num_runs=10, heterogeneity=0.4)
    for folder in (results, larger):
        set_verdict(folder, "BN1 (fair)", verdict="supported", effect=2.3, low=1.8, high=2.8, num_runs=10)
    inputs = read_inputs(results, beside=[smaller, larger])
    found = count_macros(inputs, facts_of(inputs))
    assert found["NumExperimentsBeside"] == "One"
    assert found["NumBesideIdentical"] == "$1$"
    verdicts = inputs.verdicts[inputs.verdicts["low"] < inputs.verdicts["high"]]
    decided = int((verdicts["verdict"] != "inconclusive").sum())
    assert (found["NumPooled"], found["NumUnpooled"]) == ("$1$", f"${decided - 1}$")


def test_the_numbers_of_the_prose_are_macros(results):
    numbers = written(results, "numbers")
    runs = len(pd.read_csv(results / "runs.csv"))
    assert rf"\newcommand{{\NumRuns}}{{${runs}$}}" in numbers
    assert rf"\newcommand{{\NumClaims}}{{{in_words(len(pd.read_csv(results / 'verdicts.csv')))}}}" in numbers
    assert r"\claimvalue{BN1 (fair)}{inconclusive}{yes}" in numbers
    assert r"\smokefalse" in numbers


def test_a_sentence_against_its_verdict_stops_the_report(tmp_path):
    results = fabricate(tmp_path / "full", scale="full")
    paper = open_paper(PAPER, tmp_path / "paper")
    with (paper / "sections/batch_norm.tex").open("a") as section:
        section.write(r"\claimsays{BN1 (fair)}{supported}{It is faster.}")
    with pytest.raises(ValueError, match=r"claim BN1 \(fair\) says 'supported' but its verdict is 'inconclusive'"):
        write_report(results, paper, results / "report")


def test_a_claim_without_a_verdict_stops_the_report(results):
    table = read_csv(results / "verdicts.csv", kind="verdicts")
    write_csv(table[table["claim"] != "GC2"], results / "verdicts.csv", kind="verdicts")
    with pytest.raises(ValueError, match=r"there must be one for each claim of the plans, got \"missing \['GC2'\]"):
        write_report(results, results.parent / "open", results / "report")


def test_a_figure_that_is_not_drawn_stops_the_report(results):
    (results / "figures/batch_norm/mnist_2015/training.pdf").unlink()
    with pytest.raises(ValueError, match="figure 'training' of 'batch_norm/mnist_2015': it must be drawn"):
        write_report(results, results.parent / "open", results / "report")


def test_an_empty_results_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"it must hold plan/<term>/<name>.json, got 'none'; run `make report`"):
        write_report(tmp_path, PAPER, tmp_path / "report")


def test_a_second_report_leaves_nothing_of_the_first(results):
    written(results, "terms")
    stale = results / "report/generated/stale.tex"
    stale.write_text("old")
    written(results, "terms")
    assert not stale.exists()


def test_every_term_has_prose_and_every_citation_an_entry():
    keys = set(re.findall(r"^@\w+\{(\w+),", (PAPER / "references.bib").read_text(), flags=re.MULTILINE))
    sources = [PAPER / "main.tex", *(PAPER / "sections" / f"{term}.tex" for term in TERMS)]
    assert all(path.is_file() for path in sources)
    cited = {
        key.strip()
        for path in sources
        for group in re.findall(r"\\citep\{([^}]*)\}", path.read_text())
        for key in group.split(",")
    }
    assert len(cited) > 25
    assert cited <= keys


def test_show_prints_counts_and_one_line_a_claim(results, capsys):
    show(results)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["claim", "verdict", "effect"]
    counts = pd.read_csv(results / "verdicts.csv")["verdict"].value_counts()
    told = ", ".join(f"{counts.get(word, 0)} {word}" for word in VERDICTS if word in counts or word != "conditional")
    assert f"{counts.sum()} claims: {told}." in lines
    assert lines[-1].startswith("Report: not compiled")
    assert max(len(line) for line in lines[:-1]) <= 132  # a wide terminal; the last line ends with a path


def test_show_says_what_to_know_about_a_claim_but_not_what_holds_for_all(results, capsys):
    set_verdict(results, "GC2", note="best learning_rate at the edge of its grid; pooled with a second set of 4 seeds")
    set_verdict(results, "BN3", note="pooled with a second set of 4 seeds")
    show(results)
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note on ")]
    assert "note on GC2: best learning_rate at the edge of its grid." in told
    assert not any("BN3" in line or "pooled" in line for line in told)


def test_published_tables_are_shown_without_their_plans(results, capsys):
    shutil.rmtree(results / "plan")
    show(results)
    told = capsys.readouterr().out
    assert " claims: " in told
    assert "Report:" not in told  # neither compiled nor with sources there


@pytest.mark.skipif(not shutil.which("latexmk"), reason="latexmk is not installed")
def test_the_report_compiles_without_overfull_boxes_or_open_references(tmp_path):
    results = fabricate(tmp_path / "smoke", scale="smoke", experiments=(mnist_2015.experiment,), among=CHOSEN)
    plan = read_plan(results / "plan/batch_norm/mnist_2015.json")
    summary = results / "summary/batch_norm/mnist_2015.csv"
    for figure in plan.experiment.figures:
        draw(plan, summary, name=figure.name, output_path=results / f"figures/batch_norm/mnist_2015/{figure.name}.pdf")
    draw_key(plan, summary, output_path=results / "figures/batch_norm/mnist_2015/key.pdf")
    summary_page(results, output_path=results / "figures/summary.pdf")
    draw_terms(results / "figures/terms")
    write_csv(speed_table(), tmp_path / "published/bench-cpu.csv", kind="speed")
    draw_speed(tmp_path / "published/bench-cpu.csv", output_path=results / "figures/speed/bench-cpu.pdf")
    compare(results, PAPER / "literature.yaml", results / "comparisons.csv")
    publish_beside(tmp_path / "published" / "paper", mnist_2015.experiment)
    write_report(results, PAPER, results / "report", beside=[tmp_path / "published" / "paper"])
    for document in ("main", "supplement"):
        compile_twice_alike(results / "report", document)
        log = (results / f"report/{document}.log").read_text(errors="replace")
        wide = [float(points) for points in re.findall(r"Overfull \\hbox \((\d+\.\d+)pt", log)]
        assert max(wide, default=0.0) < 3.0
        assert "undefined" not in log
        assert "draftwatermark" in log
        assert "Warning--" not in (results / f"report/{document}.blg").read_text()


def compile_twice_alike(folder: Path, document: str) -> None:
    """Compile a document in two folders and hold the bytes against each other."""
    pdfs = []
    for copy in ("once", "twice"):
        there = folder.parent / copy
        shutil.copytree(folder, there, dirs_exist_ok=True)
        command = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", f"{document}.tex"]
        done = subprocess.run(command, cwd=there, capture_output=True, text=True, errors="replace", timeout=300)
        assert done.returncode == 0, done.stdout[-2000:]
        pdfs.append((there / f"{document}.pdf").read_bytes())
    assert pdfs[0] == pdfs[1]
    for suffix in ("log", "blg"):
        shutil.copyfile(folder.parent / "twice" / f"{document}.{suffix}", folder / f"{document}.{suffix}")


def test_sentences_may_speak_of_claims_that_scale_paper_alone_has(results):
    inputs = read_inputs(results)
    own = str(inputs.verdicts.index[0])
    rows = inputs.verdicts.iloc[[0, 0]].set_axis([own, "X9"])
    text = number_macros(dataclasses.replace(inputs, others={"paper": rows}), facts_of(inputs))
    row, count = rows.iloc[1], text.count(rf"\claimvalue{{{own}}}{{estimate}}")
    assert count == 1
    assert rf"\claimvalue{{X9}}{{estimate}}{{{estimate(row['effect'], row['low'], row['high'])}}}" in text
    assert rf"\claimvalue{{X9}}{{{said(row['verdict'])}}}{{yes}}" in text
    assert "X9" not in number_macros(
        dataclasses.replace(inputs, others={"full": rows, "paper": rows}), facts_of(inputs)
    )


def test_the_method_tells_of_kernels_only_where_runs_went_through_them(results, monkeypatch):
    assert r"\newcommand{\Kernels}{}" in written(results, "numbers")
    assert re.search(r"arithmetic of the runs & eager [1-9]", (results / "report/generated/machine.tex").read_text())
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    plan = make_plan(mnist_2015.experiment.at_scale("smoke"), scale="laptop", compiling="auto")
    inputs = dataclasses.replace(read_inputs(results), plans=(plan,))
    assert f"Small dense and recurrent networks under SGD, ${len(plan.runs)}$ of" in number_macros(
        inputs, facts_of(read_inputs(results))
    )
    assert f"arithmetic of the runs & native {len(plan.runs)} " in machine_table(inputs)
