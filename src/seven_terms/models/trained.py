"""Which parameters a training moves: all, those of normalizations, of the readout, or of what comes before it."""

from __future__ import annotations

from torch import nn

from seven_terms.spec import Trained, require

from .normalization import BatchNorm, GroupNorm

NORMALIZATIONS = (BatchNorm, GroupNorm, nn.LayerNorm, nn.GroupNorm, nn.modules.batchnorm._BatchNorm)
READOUT = "readout."


def trained_names(module: nn.Module, trained: Trained) -> tuple[str, ...] | None:
    """Return the names of the parameters that are trained, None for all; ValueError where there are none."""
    if trained == "all":
        return None
    names = [name for name, _ in module.named_parameters()]
    match trained:
        case "normalization":
            inside = tuple(f"{name}." for name, part in module.named_modules() if isinstance(part, NORMALIZATIONS))
            found = tuple(name for name in names if name.startswith(inside))
        case "readout":
            found = tuple(name for name in names if name.startswith(READOUT))
        case "hidden":
            found = tuple(name for name in names if not name.startswith(READOUT))
    what, must = f"trained={trained!r}", "the model must have such parameters"
    require(0 < len(found) < len(names), what=what, must=f"{must}, and others", got=names)
    return found
