"""Terms: what experiments are about, each the name of a folder. The suite's have titles that such a name cannot say."""

from __future__ import annotations

from collections.abc import Mapping

from .limits import FileName

Term = FileName
TITLES: Mapping[str, str] = {  # the suite's own, in its order
    "learning_rate": "Learning rate",
    "lr_schedule": "Learning-rate schedule",
    "lr_decay": "Learning-rate decay",
    "vanishing_gradient": "Vanishing gradient",
    "exploding_gradient": "Exploding gradient",
    "batch_norm": "Batch normalization",
    "gradient_clipping": "Gradient clipping",
}
TERMS: tuple[str, ...] = tuple(TITLES)


def title_of(term: str) -> str:
    """Return a term in words: "label_smoothing" is "Label smoothing"."""
    return TITLES.get(term) or term.replace("_", " ").capitalize()


def rank_of(term: str) -> int:
    """Return the place of a term among the suite's; others come after them."""
    return TERMS.index(term) if term in TITLES else len(TERMS)
