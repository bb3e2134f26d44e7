"""Any update rule on dictionaries of [R, ...] tensors: its hyper-parameters by run, what it remembers, and one update.

Rules work entry by entry (`spec.Optimizer.update`), so a run's numbers do not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from seven_terms import spec

from .clipping import Tensors

State = dict[str, Tensors]
Hyper = Mapping[str, Tensor]


class Coefficients:
    """Coefficients [R], each shaped and rounded to multiply one parameter [R, ...] when it is asked for by name."""

    def __init__(self, values: Hyper, like: Tensor) -> None:
        self._values, self._like = values, like

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __getattr__(self, name: str) -> Tensor:
        like = self._like
        return self._values[name].to(like.dtype).reshape(-1, *[1] * (like.dim() - 1))


def hyper_parameters(rules: Sequence[spec.Optimizer], *, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """Return {field: float64 [R]} for the float fields of R rules of one kind.

    Those that a rule can leave out where all runs have zero are left out: the update then skips the work.
    """
    values = {name: [getattr(rule, name) for rule in rules] for name in spec.number_fields(type(rules[0]))}
    return {
        name: torch.tensor(listed, dtype=torch.float64, device=device)
        for name, listed in values.items()
        if name not in rules[0].may_be_left_out or any(listed)
    }


def initial_state(optimizer: spec.Optimizer, params: Tensors, hyper: Hyper | None = None) -> State:
    """Return what the rule remembers before the first update, zeros: {"velocity" | ...: {name: tensor}}.

    Give `hyper` to keep no memory for what `hyper_parameters` left out.
    """
    known = hyper if hyper is not None else dict.fromkeys(spec.number_fields(type(optimizer)))
    names = optimizer.memory(known)
    return {kept: {name: torch.zeros_like(w) for name, w in params.items()} for kept in names}


def update(
    optimizer: spec.Optimizer,
    hyper: Hyper,
    rate_R: Tensor,
    params: Tensors,
    grads: Tensors,
    state: State,
    step: Tensor | int,
) -> tuple[Tensors, State]:
    """Return the parameters and state after 0-based update number `step`; the arguments stay as they are.

    `rate_R` is the learning rate times the schedule's factor. Under torch.compile give `step` as a 0-dim tensor.
    """
    coefficients = optimizer.coefficients(hyper, rate_R.to(torch.float64), step)
    updated: State = {kept: {} for kept in state}
    result: Tensors = {}
    for name, w in params.items():
        memory = {kept: values[name] for kept, values in state.items()}
        result[name], changed = optimizer.update(w, grads[name], memory, Coefficients(coefficients, w), number=step)
        for kept in state:
            updated[kept][name] = changed[kept]
    return result, updated
