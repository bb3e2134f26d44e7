"""Figures draw what the summary table says, say what it lacks, and come out the same on every build."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from experiments.batch_norm import mnist_2015
from experiments.learning_rate import rate_sweep
from seven_terms.figures import draw, summary_page
from seven_terms.figures.axes import log_ticks, tick_text
from seven_terms.figures.figure import make_figure
from seven_terms.figures.rows import drawn_labels
from seven_terms.figures.style import TEXT_WIDTH, house_style, save, style_of
from seven_terms.planning import write_plan
from seven_terms.records.plans import read_plan
from seven_terms.records.tables import write_csv
from seven_terms.spec import Selected
from seven_terms.spec.best import best_of

from .synthetic import KINDS, MANY, TWO, curve, figure, survival, table


def drawn(*kinds: str):
    rows = pd.concat([table("made_up", KINDS[kind][1], panel=i) for i, kind in enumerate(kinds)])
    with house_style():
        canvas = make_figure(figure(*(KINDS[kind][0] for kind in kinds)), rows)
        canvas.draw_without_rendering()
    return canvas


def texts(canvas) -> str:
    found = [text.get_text() for axes in canvas.axes for text in axes.texts]
    return " ".join(" ".join(found).split())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_content_is_drawn_within_the_text_width(kind):
    canvas = drawn(kind)
    assert canvas.get_figwidth() <= TEXT_WIDTH
    assert canvas.axes[0].has_data()
    assert "no finite value" not in texts(canvas)


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_is_smaller_than_eight_points(kind):
    sizes = [text.get_fontsize() for text in drawn(kind).findobj(lambda a: hasattr(a, "get_fontsize"))]
    assert min(sizes) >= 8


@pytest.mark.parametrize("kinds", [("curve", "sweep", "heatmap"), ("sweep_many", "bars_many", "heatmap", "cloud")])
def test_several_panels_do_not_overlap(kinds):
    canvas = drawn(*kinds)
    boxes = [axes.get_tightbbox() for axes in canvas.axes[: len(kinds)]]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])


def test_the_band_is_the_interval_of_the_table():
    canvas = drawn("curve")
    vertices = canvas.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    expected = pd.DataFrame(curve(TWO)).query("series == 'plain'")
    assert np.isclose(vertices.max(), expected["high"].max())
    assert np.isclose(vertices.min(), expected["low"].min())


def test_labels_differ_in_dash_or_marker_so_that_grey_print_tells_them_apart():
    styles = style_of(MANY).values()
    assert len({(str(style.dash), style.marker) for style in styles}) == len(MANY)
    assert len({style.colour for style in styles}) == len(MANY)
    assert len({str(style.dash) for style in list(styles)[:4]}) == 4  # what dense curves, without markers, rely on


def test_a_label_keeps_its_style_in_every_panel():
    canvas = drawn("sweep", "survival")
    first, second = ([line.get_color() for line in axes.lines] for axes in canvas.axes[:2])
    assert first == second
    assert len(canvas.legends) == 1


def test_a_label_without_a_number_is_named_in_the_panel():
    panel, rows = KINDS["curve"]
    rows = [row | ({"value": float("nan")} if row["series"] == "plain" else {}) for row in rows]
    with house_style():
        canvas = make_figure(figure(panel), table("made_up", rows))
    assert "no finite value: plain" in texts(canvas)


@pytest.mark.parametrize("kind", KINDS)
def test_a_panel_without_any_number_says_so(kind):
    panel = KINDS[kind][0]
    with house_style():
        canvas = make_figure(figure(panel), table("made_up", [{"series": "?", "value": float("inf")}]))
        canvas.draw_without_rendering()
    assert "no finite value for" in texts(canvas)


def test_a_split_series_is_drawn_line_by_line():
    rows = curve(("plain, width = 64", "plain, width = 128"))
    panel, _ = KINDS["curve"]
    panel = dataclasses.replace(panel, content=dataclasses.replace(panel.content, by="width"))
    with house_style():
        canvas = make_figure(figure(panel), table("made_up", rows))
    names = [line.get_label() for line in canvas.axes[0].lines]
    assert names[:2] == ["plain, width = 64", "plain, width = 128"]
    assert "no finite value: batch norm" in texts(canvas)


def test_a_label_that_begins_like_another_is_not_drawn_with_it():
    content = dataclasses.replace(KINDS["curve"][0].content, runs={"ReLU": Selected("a"), "ReLU, plain": Selected("b")})
    rows = pd.DataFrame({"series": ["ReLU, plain", "ReLU"]})
    assert drawn_labels(rows, content) == ["ReLU", "ReLU, plain"]
    assert drawn_labels(rows.iloc[:1], content) == ["ReLU, plain", "ReLU"]  # the one without numbers comes last


def test_the_heatmap_puts_each_value_in_its_cell():
    canvas = drawn("heatmap")
    cells = canvas.axes[0].collections[0].get_array()
    assert cells[0, 2] == pytest.approx(100.0)  # x = 0.3, y = 0.01
    assert cells.mask[3, 3]


def test_theory_is_a_black_dashed_line_over_the_numbers_of_the_table():
    line = drawn("curve_log").axes[0].lines[-1]
    assert (line.get_label(), line.get_color()) == ("theory", "black")
    assert line.get_ydata().tolist() == [0.9, 0.9]


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.4, 1.9, [0.5, 0.7, 1, 1.5]), (1, 1000, [1, 10, 100, 1000]), (2, 40, [3, 10, 30])]
)
def test_log_axes_have_at_least_three_round_ticks(low, high, expected):
    assert log_ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1500, "1500"), (20_000, "20k"), (0.01, "0.01"), (1e-5, "$10^{-5}$"), (-2, "−2")]
)
def test_ticks_are_short_numbers(value, text):
    assert tick_text(value) == text


@pytest.fixture
def results(tmp_path):
    """A results folder with the plan and the summary of one real experiment."""
    experiment = mnist_2015.experiment.at_scale("smoke")
    write_plan(experiment, tmp_path / "plan/batch_norm/mnist_2015.json", scale="smoke")
    rows = pd.concat([table("training", curve(TWO)), table("training", survival(TWO), panel=1)])
    write_csv(rows, tmp_path / "summary/batch_norm/mnist_2015.csv", kind="summary")
    return tmp_path


def test_draw_writes_the_same_pdf_twice_and_a_picture(results, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    plan = read_plan(results / "plan/batch_norm/mnist_2015.json")
    for copy in ("one", "two"):
        path = results / copy / "training.pdf"
        draw(plan, results / "summary/batch_norm/mnist_2015.csv", name="training", output_path=path)
    first, second = ((results / copy / "training.pdf").read_bytes() for copy in ("one", "two"))
    assert first == second
    assert b"D:20231114" in first
    assert (results / "one/training.png").stat().st_size > 10_000


def test_without_a_source_date_the_pdf_carries_none(results, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    plan = results / "plan/batch_norm/mnist_2015.json"
    draw(plan, results / "summary/batch_norm/mnist_2015.csv", name="training", output_path=results / "x.pdf")
    assert b"CreationDate" not in (results / "x.pdf").read_bytes()


def test_an_unknown_figure_is_refused_with_the_known_ones(results):
    with pytest.raises(ValueError, match=r"a figure must be one of \['inputs', 'training'\], got 'trainig'"):
        draw(
            results / "plan/batch_norm/mnist_2015.json",
            results / "summary/batch_norm/mnist_2015.csv",
            name="trainig",
            output_path=results / "x.pdf",
        )


def test_the_summary_page_has_a_panel_for_each_present_term(results):
    summary_page(results, output_path=results / "figures/seven-terms.pdf")
    assert (results / "figures/seven-terms.png").exists()


def test_intervals_that_reach_below_zero_are_cut_at_a_log_axis():
    panel, rows = KINDS["sweep"]
    rows = [row | {"low": -1.0} for row in rows]
    with house_style():
        canvas = make_figure(figure(dataclasses.replace(panel, log_y=True)), table("made_up", rows))
    assert canvas.axes[0].get_ylim()[0] > 0.1


@pytest.mark.parametrize("kind", ["curve", "bars", "cloud", "sweep", "survival"])
def test_the_svg_tells_each_drawn_value_under_the_pointer(kind, tmp_path):
    with house_style():
        save(drawn(kind), tmp_path / "one.pdf", svg=True)
    text = (tmp_path / "one.svg").read_text()
    labels = list(dict.fromkeys(KINDS[kind][1][i]["series"] for i in range(len(KINDS[kind][1]))))
    assert all(f"<title>{label}: " in text for label in labels)
    assert text.rstrip().endswith("</svg>")


def test_a_ring_marks_the_best_rate_of_each_line():
    experiment = rate_sweep.experiment
    panel = experiment.figures[0].panels[1]
    assert best_of(experiment, panel) == "min"
    rows = [{"series": "plain", "x": x, "value": value} for x, value in ((0.1, 2.0), (0.2, 1.0), (0.4, 3.0))]
    with house_style():
        canvas = make_figure(figure(panel), table("made_up", rows), experiment=experiment)
    rings = [line for line in canvas.axes[0].lines if line.get_markersize() == 8]
    assert [float(ring.get_xdata()[0]) for ring in rings] == [0.2]
