"""Text and numbers for LaTeX: escaping, rounding, tables. Nothing here knows what it prints."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from ..spec import require

RAISED = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # at the start of a table's row it would be an option of the line break before it
    "]": "{]}",
    "`": r"\textasciigrave{}",
    "\n": " ",
    "\t": " ",
}
_SYMBOLS = {
    "−": "$-$", "×": r"$\times$", "·": r"$\cdot$", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$", "≈": r"$\approx$",
    "∞": r"$\infty$", "→": r"$\rightarrow$", "√": r"$\surd$", "²": "$^2$", "³": "$^3$", "½": r"$\frac{1}{2}$",
    "η": r"$\eta$", "λ": r"$\lambda$", "σ": r"$\sigma$", "γ": r"$\gamma$", "β": r"$\beta$", "μ": r"$\mu$",
    "µ": r"$\mu$", "ξ": r"$\xi$", "π": r"$\pi$", "χ": r"$\chi$", "–": "--",
    "—": "---", "’": "'", "‘": "`", "“": "``", "”": "''",
    "…": r"\ldots{}", "\u00a0": "~", "\u202f": r"\,",
}  # fmt: skip
_LIGATURES = re.compile(r"(?<=-)(?=-)|(?<=,)(?=,)|(?<=')(?=')|(?<=[?!])(?=`)")  # what T1 fonts would join
_UNSET = "ħĦĸŉſĿŀŦŧ"  # below U+0180, yet in no T1 font
_TIMES = re.compile(r"(?<=[\w)]) x (?=[\w(])")
_CITED = re.compile(r"\[([a-z]\w*)\]")


def escape(text: object) -> str:
    """Return the text with every character LaTeX would take for something else replaced; straight quotes become pairs."""
    quoted = _TIMES.sub(" × ", re.sub(r'"([^"]*)"', "“\\1”", str(text)))
    parts = _LIGATURES.split(quoted)
    return "{}".join("".join(_escape_character(character) for character in part) for part in parts)


def _escape_character(character: str) -> str:
    is_letter = ord(character) < 0x180 and character.isprintable() and character not in _UNSET
    printable = character in _SPECIAL or character in _SYMBOLS or is_letter
    require(
        printable,
        what="text of the report",
        must="its characters must be Latin letters or known symbols",
        got=character,
        do="write the character in words, or add it to seven_terms/report/latex.py",
    )
    return _SPECIAL.get(character) or _SYMBOLS.get(character) or character


def cited(text: str) -> str:
    """Return the escaped text in which `[key2013]` has become a citation."""
    parts = _CITED.split(text)
    return "".join(f"\\citep{{{part}}}" if i % 2 else escape(part) for i, part in enumerate(parts))


def number(value: float, *, digits: int = 3) -> str:
    """Return a number in math mode, rounded to significant digits; `--` for a missing one."""
    if value is None or math.isnan(value):
        return "--"
    if math.isinf(value):
        return r"$\infty$" if value > 0 else r"$-\infty$"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"${_plain(value, _decimals(abs(value), digits))}$"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")  # rounded first: never 10.0 times a power
    return f"${mantissa}\\times10^{{{int(exponent)}}}$"


def given(value: float) -> str:
    """Return a number with the digits it was given with."""
    return f"${value:.6g}$" if 1e-4 <= abs(value) < 1e6 else number(value)


def count(value: float) -> str:
    return f"${int(value):,}$".replace(",", r"\,")


def in_words(number: int) -> str:
    return _SMALL[number] if number < len(_SMALL) else count(number)


def interval(low: float, high: float, *, beside: float = math.nan) -> str:
    """Return "[low, high]", both ends with as many decimals as their width deserves."""
    return f"[{_matched(low, low, high, beside)}, {_matched(high, low, high, beside)}]"


def effect(value: float, low: float, high: float) -> str:
    """Return the value rounded like its interval."""
    return _matched(value, low, high, value)


def estimate(value: float, low: float, high: float) -> str:
    """Return the value with its interval, without one where it is exact; `--` for a missing value."""
    if math.isnan(value):
        return "--"
    rounded = effect(value, low, high)
    return rounded if low == high else f"{rounded} {interval(low, high, beside=value)}"


def _matched(value: float, low: float, high: float, beside: float) -> str:
    sizes = [abs(number) for number in (low, high, beside) if math.isfinite(number)]
    width = high - low
    if not math.isfinite(value) or not sizes or not 1e-3 <= max(sizes) < 1e5:
        return number(value)
    if not math.isfinite(width) or width <= 0:
        return number(value, digits=4)
    return f"${_plain(value, min(_decimals(width, 2), _decimals(max(sizes), 5)))}$"


def _decimals(size: float, digits: int) -> int:
    return max(0, digits - 1 - math.floor(math.log10(size))) if size > 0 else 0


def _plain(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}".replace(",", r"\,")
    return text.removeprefix("-") if float(f"{value:.{decimals}f}") == 0 else text


def longtable(columns: str, *, header: Sequence[str], rows: Sequence[Sequence[str]], caption: str, label: str) -> str:
    """Return a booktabs table that may break across pages."""
    head = " & ".join(f"\\textbf{{{name}}}" for name in header)
    body = "\n".join(" & ".join(row) + r" \\" for row in rows)
    return "\n".join(
        [
            f"\\begin{{longtable}}{{@{{}}{columns}@{{}}}}",
            f"\\caption{{{caption}}}\\label{{{label}}}\\\\",
            f"\\toprule {head} \\\\ \\midrule \\endfirsthead",
            f"\\toprule {head} \\\\ \\midrule \\endhead",
            r"\bottomrule \endlastfoot",
            body,
            r"\end{longtable}",
            "",
        ]
    )


def plain(text: str) -> str:
    """Return a number or interval of this module as plain text: "$-0.05$ [$-1$, $2$]" is "−0.05 [−1, 2]"."""
    text = text.replace(r"\,", ",").replace(r"\infty", "∞").replace("--", "–").replace("-", "−")
    return re.sub(r"\\times10\^\{(.*?)\}", lambda found: f"×10{found[1].translate(RAISED)}", text).replace("$", "")
