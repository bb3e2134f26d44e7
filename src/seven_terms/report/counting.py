"""The honest count: how many claims of which kind fared how, how many repeat, how many hold at another scale."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from ..spec import SCALES
from .facts import Fact
from .inputs import Inputs
from .kinds import KINDS, KINDS_IN_WORDS, kind_of_training
from .latex import count, escape, in_words
from .sentences import SAYABLE, said

_MACROS = {"identity": "Identity", "closed form": "ClosedForm", "untrained": "Untrained", "trained": "Trained"}


def count_macros(inputs: Inputs, facts: Mapping[str, Fact]) -> dict[str, str]:
    """Return macro -> number in LaTeX, for claims by kind, runs by kind, repetition and agreement between scales."""
    values: dict[str, str] = {}
    for kind in KINDS:
        own = [fact for fact in facts.values() if fact.kind == kind]
        values[f"Num{_MACROS[kind]}Claims"] = count(len(own))
        for word in SAYABLE:
            values[f"Num{_MACROS[kind]}{word.capitalize()}"] = count(sum(fact.word == word for fact in own))
    runs = Counter(kind_of_training(run.training) for plan in inputs.plans for run in plan.every_run)
    values |= {f"Num{_MACROS[kind]}Runs": count(runs[kind]) for kind in ("closed form", "untrained", "trained")}
    decided, repeated, turned = decided_twice(facts.values())
    differ = [fact for fact in facts.values() if fact.beside]
    sampled = [fact for fact in facts.values() if fact.word != "inconclusive" and fact.row["low"] < fact.row["high"]]
    values |= {
        "NumExactClaims": count(sum(fact.kind != "trained" for fact in facts.values())),
        "NumDecided": count(decided),
        "NumRepeated": count(repeated),
        "NumTurned": count(turned),
        "NumPooled": count(sum(is_pooled(fact) for fact in sampled)),
        "NumUnpooled": count(sum(not is_pooled(fact) for fact in sampled)),
        "NumBeside": count(len(differ)),
        "NumBesideSame": count(sum(_same_word(fact) for fact in differ)),
        "NumBesideIdentical": count(sum(any(other.is_same_run for other in fact.larger) for fact in facts.values())),
        "OtherScales": scales_in_words(inputs),
        "NumExperiments": count(len(inputs.plans)),
        "NumExperimentsBeside": in_words(
            len({fact.experiment.path for fact in facts.values() if fact.larger})
        ).capitalize(),
        "NumFlipped": in_words(sum(fact.is_flipped for fact in differ)),
        "NumExploratory": in_words(sum(fact.mark == "exploratory" for fact in facts.values())),
        "NumChanged": in_words(sum(fact.mark == "changed" for fact in facts.values())),
        "NumPairs": count(sum(fact.key.endswith("(as said)") for fact in facts.values())),
    }
    return values


def _same_word(fact: Fact) -> bool:
    return all(other.word == fact.word for other in fact.beside)


def scales_in_words(inputs: Inputs) -> str:
    """Return e.g. "scales full and paper" of the larger ones published beside this report's; "a larger scale" without any."""
    names = [one for one in inputs.others if SCALES.index(one) > SCALES.index(inputs.scale)]
    return f"scale{'s' if len(names) > 1 else ''} {' and '.join(names)}" if names else "a larger scale"


def decided_twice(facts: Iterable[Fact]) -> tuple[int, int, int]:
    """Return how many claims with sampling error the first seeds decide, and of these the second alone alike, and opposite."""
    both = [fact.second for fact in facts if fact.second is not None and fact.row["low"] < fact.row["high"]]
    words = [(said(row["first"]), said(row["second"])) for row in both]
    decided = [pair for pair in words if pair[0] != "inconclusive"]
    turned = sum(set(pair) == {"supported", "refuted"} for pair in decided)
    return len(decided), sum(first == second for first, second in decided), turned


def is_pooled(fact: Fact) -> bool:
    """Return whether both sets of seeds together made the verdict: how much they differ is then known."""
    return not math.isnan(fact.row["heterogeneity"])


def tally_table(facts: Mapping[str, Fact]) -> str:
    """Return how the claims of each kind fared."""
    lines = []
    for kind in KINDS:
        own = [fact for fact in facts.values() if fact.kind == kind]
        cells = [count(sum(fact.word == word for fact in own)) for word in SAYABLE]
        lines.append(" & ".join([escape(KINDS_IN_WORDS[kind]), count(len(own)), *cells]) + r" \\")
    head = " & ".join(["claims about", "all", *SAYABLE]) + r" \\"
    body = "\n".join([r"\toprule", head, r"\midrule", *lines, r"\bottomrule"])
    return f"\\begin{{tabular}}{{@{{}}lrrrr@{{}}}}{body}\\end{{tabular}}\n"
