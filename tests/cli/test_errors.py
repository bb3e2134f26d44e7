"""What a person reads when something fails: a sentence for each error that a person can mend, else where the mistake is."""

import errno
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from seven_terms.cli.errors import ADVICE, report, sentence


@pytest.mark.parametrize("number", sorted(ADVICE), ids=lambda number: errno.errorcode[number])
def test_an_error_of_the_system_names_the_file_what_the_system_says_and_what_to_do(number):
    error = OSError(number, os.strerror(number), "results/x.csv")
    said = sentence(error)
    assert said == (f"file 'results/x.csv': it must be read or written, got {os.strerror(number)!r}; {ADVICE[number]}.")


def test_an_error_of_the_system_without_a_name_is_a_sentence_too():
    said = sentence(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert said
    assert said.startswith("a file: it must be read or written, got ")


def test_a_missing_file_says_how_it_is_made():
    assert sentence(FileNotFoundError(errno.ENOENT, "x", "a.csv")) == (
        "file 'a.csv' must exist; check its path, or run `make report` to make it."
    )


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ValueError("runs: there must be some, got 0."), 1, "runs: there must be some, got 0."),
        (MemoryError(), 1, "memory: there must be enough of it, got none"),
        (KeyboardInterrupt(), 130, "interrupted; the same command resumes from here."),
    ],
)
def test_what_a_person_can_mend_is_one_line_with_the_verb(error, status, said, capsys):
    assert report("train", error) == status
    printed = capsys.readouterr().err
    assert printed.startswith(f"seven-terms train: {said}")
    assert printed.count("\n") == 1


@pytest.mark.parametrize(
    "error", [KeyError("x"), ValueError(""), UnicodeDecodeError("utf-8", b"", 0, 1, "x"), TypeError("x")]
)
def test_what_nobody_foresaw_is_shown_with_its_place_and_says_that_nothing_is_lost(error, capsys):
    def fails() -> None:
        raise error

    with pytest.raises(type(error)):
        fails()
    assert report("train", error) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("Traceback")
    assert "in fails" in printed
    assert re.search(
        rf"seven-terms train: {type(error).__name__}: this is a mistake of the program; .*, the results are kept\.\n$",
        printed,
    )


def test_a_reader_that_has_read_enough_is_no_mistake():
    call = f"{shlex.quote(sys.executable)} -u -m seven_terms explain batch_norm/parts | head -n 1"
    done = subprocess.run(call, shell=True, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.stdout.startswith("The parts of batch normalization")
    assert "BrokenPipe" not in done.stderr
    assert done.stderr == ""
