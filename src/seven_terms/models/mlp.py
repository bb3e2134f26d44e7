"""Fully connected networks.

muP by forward multipliers (Yang and Hu 2021; Yang et al. 2022, table 3). Let r = width / base_width. muP for SGD asks,
relative to the base width, for rates times r on input weights and biases, 1 on hidden weights, 1 / r on the readout, and
for a readout drawn 1 / sqrt(r) smaller than 1 / sqrt(fan-in). Write the effective weight as w = m W. A step of SGD on W
moves w by -rate m^2 dL/dw, so a multiplier m is a rate m^2. Hence m = sqrt(r) for the input layer and hidden biases,
m = 1 for hidden weights, m = 1 / sqrt(r) for the readout. The drawn input weights are divided by sqrt(r) to start
unchanged; the readout, drawn as usual, then starts 1 / sqrt(r) smaller, as asked. At width = base_width nothing changes.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from seven_terms import spec

from .linear import Linear
from .normalization import build_normalization
from .tap import OutputTap, Tap, activation


class Layer(nn.Module):
    """linear -> [normalization] -> activation, or linear -> activation -> [normalization], and perhaps a skip."""

    def __init__(self, num_inputs: int, model: spec.Mlp) -> None:
        super().__init__()
        self.normalizes_after = model.placement == "after"
        self.skips = model.residual and num_inputs == model.width
        self.linear = Linear(num_inputs, model.width, bias=model.bias)
        self.normalization = build_normalization(model.normalization, model.width)
        self.tap = Tap()
        self.activation = activation(model.activation)
        self.output = OutputTap()

    def forward(self, x: Tensor) -> Tensor:
        y = self.linear(x)
        y = y if self.normalizes_after else self.normalization(y)
        y = self.activation(self.tap(y))
        y = self.normalization(y) if self.normalizes_after else y
        return self.output(x + y if self.skips else y)


class Mlp(nn.Module):
    """x [B, ...] -> outputs [B, num_outputs]; parameters `layers.<i>.linear.weight` ... and `readout.weight`."""

    def __init__(self, model: spec.Mlp, *, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        widths = [num_inputs] + [model.width] * model.depth
        layers = [Layer(width, model) for width in widths[:-1]]
        self.layers = nn.ModuleList(layers)
        self.readout = Linear(widths[-1], num_outputs, bias=model.bias)
        if model.parametrization == "mup" and model.depth:
            self._multiply(model, [layer.linear for layer in layers])

    def _multiply(self, model: spec.Mlp, linears: list[Linear]) -> None:
        root = math.sqrt(model.width / model.base_width)
        for linear in linears:
            linear.bias_multiplier = root
        linears[0].weight_multiplier, linears[0].initial_factor = root, 1.0 / root
        self.readout.weight_multiplier = 1.0 / root

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        for layer in self.layers:
            x = layer(x)
        return self.readout(x)


def mlp(model: spec.Mlp, *, input_shape: tuple[int, ...], num_outputs: int) -> nn.Module:
    return Mlp(model, num_inputs=math.prod(input_shape), num_outputs=num_outputs)
