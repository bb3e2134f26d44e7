"""Pictures appear whole or not at all, whoever else draws them at the same time, and are believed by their checksum."""

import subprocess
import sys

import pytest

from seven_terms.figures import style
from seven_terms.figures.figure import make_figure
from seven_terms.figures.style import house_style, save
from seven_terms.records.atomic import is_whole

from .synthetic import KINDS, figure, table

SUFFIXES = (".pdf", ".png", ".svg")
DRAW = """
import sys
from pathlib import Path
from tests.figures.test_writing import draw
print("ready", flush=True)
sys.stdin.readline()
for _ in range(2):
    draw(Path(sys.argv[1]))
"""


def draw(path, kind="curve"):
    with house_style():
        save(make_figure(figure(KINDS[kind][0]), table("made_up", KINDS[kind][1], panel=0)), path, svg=True)
    return {suffix: path.with_suffix(suffix).read_bytes() for suffix in SUFFIXES}


def test_a_figure_that_a_killed_call_still_draws_has_the_same_bytes(tmp_path, monkeypatch):
    """The other's steps fall between ours: its SVG once got our values too, in one of a hundred kills."""
    alone = draw(tmp_path / "alone.pdf")
    with_values, path = style.with_values, tmp_path / "both.pdf"

    def interrupted(*arguments):
        monkeypatch.setattr(style, "with_values", with_values)
        draw(path)
        return with_values(*arguments)

    monkeypatch.setattr(style, "with_values", interrupted)
    assert draw(path) == alone
    assert alone[".svg"].count(b'class="values"') == 1


def test_processes_that_draw_one_figure_side_by_side_leave_its_bytes(tmp_path, project):
    alone, path, pipe = draw(tmp_path / "alone.pdf"), tmp_path / "both.pdf", subprocess.PIPE
    command = [sys.executable, "-c", DRAW, str(path)]
    others = [subprocess.Popen(command, cwd=project, stdin=pipe, stdout=pipe) for _ in range(3)]
    for other in others:
        assert other.stdout
        other.stdout.readline()
    for other in others:
        other.communicate(b"\n")
    assert [other.returncode for other in others] == [0, 0, 0]
    assert {suffix: path.with_suffix(suffix).read_bytes() for suffix in SUFFIXES} == alone
    assert sorted(one.name for one in tmp_path.glob(".both*")) == [".both.pdf.sha256", ".both.png.sha256"]


@pytest.mark.parametrize("harm", ["cut", "gone"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picture_that_is_cut_or_gone_is_drawn_again(suffix, harm, tmp_path):
    content, path = draw(tmp_path / "one.pdf")[suffix], tmp_path / f"one{suffix}"
    assert is_whole(tmp_path / "one.pdf")
    assert is_whole(tmp_path / "one.png")
    path.write_bytes(content[:-9]) if harm == "cut" else path.unlink()
    believed = tmp_path / ("one.png" if suffix == ".png" else "one.pdf")  # what the workflow asks for
    assert not is_whole(believed)
