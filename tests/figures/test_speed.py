"""The benchmark's figure draws the table as it is, on the fewest threads, without rows that are not valid."""

import numpy as np
import pytest

from seven_terms.figures import draw_speed
from seven_terms.figures.speed import make_speed_figure
from seven_terms.figures.style import TEXT_WIDTH, house_style
from seven_terms.records.tables import write_csv

from .synthetic import speed_table


def drawn(table):
    with house_style():
        canvas = make_speed_figure(table)
        canvas.draw_without_rendering()
    return canvas


def lines(axes) -> dict[str, list[float]]:
    return {line.get_label(): list(np.asarray(line.get_ydata())) for line in axes.lines}


def test_a_panel_a_workload_has_a_line_a_way_and_the_floor():
    canvas = drawn(speed_table())
    first, second, memory = canvas.axes[:3]
    assert [axes.get_title(loc="left") for axes in canvas.axes[:3]] == [
        "(a) MLP",
        "(b) recurrent, T = 30",
        "(c) memory in (a)",
    ]
    assert lines(first)["plain PyTorch loop"] == pytest.approx([800] * 3)
    assert lines(first)["ours, eager"] == pytest.approx([200] * 3)  # one thread only: two are in the table, too
    assert lines(second)["matrix products alone"] == pytest.approx([100] * 2)
    assert lines(memory)["ours, eager"] == pytest.approx([401.5, 412, 448])
    assert "plain PyTorch loop" not in lines(memory)


def test_rows_that_are_not_valid_are_left_out():
    table = speed_table()
    table["valid"] = ~((table["contender"] == "JAX, vmap and scan") & (table["workload"] == "mlp"))
    first, second = drawn(table).axes[:2]
    assert "JAX, vmap and scan" not in lines(first)
    assert "JAX, vmap and scan" in lines(second)


def test_a_table_without_a_valid_row_is_refused():
    with pytest.raises(ValueError, match="table of the benchmark: it must hold valid rows of a workload, got 40"):
        make_speed_figure(speed_table().assign(valid=False))


def test_panels_do_not_overlap_and_no_text_is_small():
    canvas = drawn(speed_table())
    boxes = [axes.get_tightbbox() for axes in canvas.axes[:3]]
    assert canvas.get_figwidth() <= TEXT_WIDTH
    assert not any(box.overlaps(other) for i, box in enumerate(boxes) for other in boxes[i + 1 :])
    assert min(text.get_fontsize() for text in canvas.findobj(lambda one: hasattr(one, "get_fontsize"))) >= 8


def test_the_figure_is_drawn_from_the_file(tmp_path):
    write_csv(speed_table(), tmp_path / "speed.csv", kind="speed")
    draw_speed(tmp_path / "speed.csv", output_path=tmp_path / "speed.pdf")
    assert (tmp_path / "speed.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "speed.png").stat().st_size > 0
