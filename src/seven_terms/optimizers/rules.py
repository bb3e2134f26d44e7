"""Update rules on [R, ...] tensors: SGD, Adam and AdamW as in `torch.optim`, and the exact moments of SGD.

All are functional and work entry by entry, so a run's numbers do not depend on its neighbours. Coefficients [R] are
computed in float64 and rounded to the parameters' precision once, as `torch.optim` does with Python floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from seven_terms import spec
from seven_terms.spec import number_fields

Params = dict[str, Tensor]
State = dict[str, Params]
Hyper = Mapping[str, Tensor]
MAY_BE_LEFT_OUT = ("momentum", "weight_decay")  # zero means off: without it the rule gives the same numbers


def hyper_parameters(rules: Sequence[spec.Optimizer], *, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """Return {field: float64 [R]} for the float fields of R rules of one kind.

    Momentum and weight decay are left out where all runs have zero: the update then skips the work.
    """
    values = {name: [getattr(rule, name) for rule in rules] for name in number_fields(type(rules[0]))}
    return {
        name: torch.tensor(listed, dtype=torch.float64, device=device)
        for name, listed in values.items()
        if name not in MAY_BE_LEFT_OUT or any(listed)
    }


def initial_state(optimizer: spec.Optimizer, params: Params, hyper: Hyper | None = None) -> State:
    """Return the optimizer's state before the first update: {"velocity" | "average" | "mean" | "square": {name: tensor}}.

    Give `hyper` to keep no velocity where `hyper_parameters` left momentum out.
    """

    def zeros() -> Params:
        return {name: torch.zeros_like(w) for name, w in params.items()}

    match optimizer:
        case spec.Sgd():
            state = {"velocity": zeros()} if hyper is None or "momentum" in hyper else {}
            return state | ({"average": zeros()} if optimizer.average_iterates else {})
        case spec.Adam():
            return {"mean": zeros(), "square": zeros()}
    return {}


def update(
    optimizer: spec.Optimizer,
    hyper: Hyper,
    rate_R: Tensor,
    params: Params,
    grads: Params,
    state: State,
    step: Tensor | int,
) -> tuple[Params, State]:
    """Return the parameters and state after 0-based update number `step`; the arguments stay as they are.

    `rate_R` is the learning rate times the schedule's factor. Under torch.compile give `step` as a 0-dim tensor.
    """
    rate_R = rate_R.to(torch.float64)
    match optimizer:
        case spec.Sgd():
            return _sgd(optimizer, hyper, rate_R, params, grads, state, step)
        case spec.Adam():
            return _adam(optimizer, hyper, rate_R, params, grads, state, step)
    return _expected_sgd(hyper, rate_R, params, grads), state


def _sgd(
    rule: spec.Sgd, hyper: Hyper, rate_R: Tensor, params: Params, grads: Params, state: State, step: Tensor | int
) -> tuple[Params, State]:
    updated: State = {name: {} for name in state}
    result: Params = {}
    for name, w in params.items():
        d = _decayed(w, grads[name], hyper)
        if "velocity" in state:
            momentum = _rows(hyper["momentum"], w)
            v = updated["velocity"][name] = momentum * state["velocity"][name] + d
            d = d + momentum * v if rule.nesterov else v
        result[name] = torch.addcmul(w, _rows(rate_R, w), d, value=-1)
        if "average" in state:
            mean = state["average"][name]
            updated["average"][name] = mean + (result[name] - mean) / (step + 1)  # of iterates 1 ... step + 1
    return result, updated


def _adam(
    rule: spec.Adam, hyper: Hyper, rate_R: Tensor, params: Params, grads: Params, state: State, step: Tensor | int
) -> tuple[Params, State]:
    # Kingma and Ba 2015, algorithm 1; decoupled weight decay: Loshchilov and Hutter 2019, algorithm 2.
    beta1, beta2 = hyper["beta1"], hyper["beta2"]
    size_R = rate_R / (1.0 - beta1 ** (step + 1))
    root_R = torch.sqrt(1.0 - beta2 ** (step + 1))
    updated: State = {"mean": {}, "square": {}}
    result: Params = {}
    for name, w in params.items():
        g = grads[name] if rule.decoupled else _decayed(w, grads[name], hyper)
        m, v = state["mean"][name], state["square"][name]
        m = updated["mean"][name] = m + _rows(1.0 - beta1, w) * (g - m)
        v = updated["square"][name] = _rows(beta2, w) * v + _rows(1.0 - beta2, w) * (g * g)
        if rule.decoupled and "weight_decay" in hyper:
            w = w * _rows(1.0 - rate_R * hyper["weight_decay"], w)
        result[name] = w - _rows(size_R, w) * m / (torch.sqrt(v) / _rows(root_R, w) + _rows(hyper["eps"], w))
    return result, updated


def _expected_sgd(hyper: Hyper, rate_R: Tensor, params: Params, grads: Params) -> Params:
    result: Params = {}
    for name, v in params.items():
        rate, h = _rows(rate_R, v), 2.0 * grads[name]
        result[name] = (1.0 - rate * h) ** 2 * v + rate**2 * _rows(hyper["noise"], v) * h
    return result


def _decayed(w: Tensor, g: Tensor, hyper: Hyper) -> Tensor:
    return g + _rows(hyper["weight_decay"], w) * w if "weight_decay" in hyper else g


def _rows(values_R: Tensor, like: Tensor) -> Tensor:
    """Return [R] shaped and rounded to multiply [R, ...]."""
    return values_R.to(like.dtype).reshape(-1, *[1] * (like.dim() - 1))
