"""Text and numbers arrive in LaTeX as they were meant."""

import math

import pytest

from seven_terms.report.latex import cited, effect, escape, given, interval, number, plain


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("50 % of a_b & c#d", r"50 \% of a\_b \& c\#d"),
        ("x^2 {~} \\", r"x\textasciicircum{}2 \{\textasciitilde{}\} \textbackslash{}"),
        ("a < b | c > $5", r"a \textless{} b \textbar{} c \textgreater{} \$5"),
        ('"14 times", 2/λ ≥ 1', r"``14 times'', 2/$\lambda$ $\geq$ 1"),
        ("Hägele", "Hägele"),
        ("[2em] skip", "{[}2em{]} skip"),
        ("--flag", "-{}-flag"),
        ("why?`x", r"why?{}\textasciigrave{}x"),
        (",,x", ",{},x"),
    ],
)
def test_special_characters_are_escaped(text, latex):
    assert escape(text) == latex


def test_a_character_that_latex_does_not_know_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="Latin letters or known symbols, got '漢'; write the character in words"):
        escape("漢")


@pytest.mark.parametrize("character", ["ħ", "ĸ", "ŉ", "ſ", "\a", "\x85"])
def test_what_no_font_of_the_report_has_is_refused(character):
    with pytest.raises(ValueError, match="its characters must be Latin letters or known symbols"):
        escape(f"a{character}b")


@pytest.mark.parametrize(
    ("value", "latex"),
    [
        (2.3149, "$2.31$"),
        (0.0123, "$0.0123$"),
        (-0.5, "$-0.500$"),
        (12345.6, r"$12\,346$"),
        (1.5e-7, r"$1.50\times10^{-7}$"),
        (math.nan, "--"),
        (math.inf, r"$\infty$"),
        (0.0, "$0$"),
        (9.9999e-7, r"$1.00\times10^{-6}$"),
    ],
)
def test_numbers_have_three_digits(value, latex):
    assert number(value) == latex


def test_both_ends_of_an_interval_have_the_decimals_that_its_width_deserves():
    assert interval(1.8731, 2.8419) == "[$1.87$, $2.84$]"
    assert interval(0.99951, 1.00049) == "[$0.9995$, $1.0005$]"
    assert interval(-31.26, 12.4) == "[$-31$, $12$]"
    assert effect(2.3149, 1.8731, 2.8419) == "$2.31$"


def test_an_open_interval_keeps_its_finite_end():
    assert interval(1.25, math.inf) == r"[$1.250$, $\infty$]"


def test_a_rounded_zero_has_no_sign():
    assert interval(-0.0004, 0.3) == "[$0.00$, $0.30$]"


def test_a_published_number_keeps_its_digits():
    assert [given(value) for value in (1.1248, 2.33, 13.0)] == ["$1.1248$", "$2.33$", "$13$"]


def test_keys_in_brackets_become_citations():
    assert cited("[he2016deep], table 6 & 7") == r"\citep{he2016deep}, table 6 \& 7"


def test_a_number_reads_the_same_without_latex():
    assert plain(number(4.81e-13)) == "4.81×10⁻¹³"
    assert plain(r"$-0.05$ [$-1$, $1\,234$]") == "−0.05 [−1, 1,234]"
