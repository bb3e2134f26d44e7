"""Somebody's nn.Module, made from its class and the arguments of its constructor."""

from __future__ import annotations

import inspect
import math

from torch import nn

from ..spec import Module, load, require


def module(model: Module, *, input_shape: tuple[int, ...], num_outputs: int) -> nn.Module:
    """Return the module; what the task knows is given to parameters of the names input_shape, num_inputs, num_outputs."""
    made_by = load(model.cls)
    parameters = inspect.signature(made_by).parameters
    offered = {"input_shape": input_shape, "num_inputs": math.prod(input_shape), "num_outputs": num_outputs}
    given = {name: value for name, value in offered.items() if name in parameters} | dict(model.arguments)
    takes_all = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    unknown = [] if takes_all else sorted(set(given) - set(parameters))
    what, known = f"Module {model.cls!r}", ", ".join(parameters) or "none"
    require(not unknown, what=what, must=f"arguments must be among those of its constructor ({known})", got=unknown)
    lacking = [
        one.name
        for one in parameters.values()
        if one.default is one.empty and one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL) and one.name not in given
    ]
    require(not lacking, what=what, must="arguments must have what its constructor needs", got=f"no {lacking}")
    made = made_by(**given)
    require(isinstance(made, nn.Module), what=what, must="it must be a class of nn.Module", got=type(made).__name__)
    return made
