"""Recurrent networks as loops of matrix products: unlike nn.RNN they work under vmap.

One bias a layer (`input.bias`), where PyTorch has two that add up. Gates stand on top of each other: LSTM input, forget,
candidate, output as in PyTorch; GRU reset, update, candidate with h_t = (1 - z) h_{t-1} + z n as in Chung et al. 2014
(PyTorch's update gate is one minus this one).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seven_terms import spec
from seven_terms.spec import require

from .linear import Linear
from .recurrence import SIMPLE_CELLS, simple_states
from .tap import ACTIVATIONS

NUM_GATES = {"lstm": 4, "gru": 3}


class Recurrent(nn.Module):
    """x [B, T, D] -> outputs [B, num_outputs], or [B, T, num_outputs] when the readout sees every state.

    `perturbation` [T, B, H] is added to each hidden state h_t before anyone reads it: its gradient at zero is dL/dh_t.
    The recurrent matrix is the parameter `recurrent.weight` [gates * H, H].
    """

    def __init__(self, model: spec.Recurrent, *, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        width, gates = model.width, NUM_GATES.get(model.cell, 1)
        self.model = model
        self.input = Linear(num_inputs, width, num_blocks=gates, default_fan=width)
        self.recurrent = Linear(width, width, bias=False, num_blocks=gates, default_fan=width, role="recurrent")
        self.readout = Linear(width, num_outputs)

    def forward(self, x: Tensor, perturbation: Tensor | None = None) -> Tensor:
        if not self.model.read_all:
            return self.readout(self._last_state(x, perturbation))
        all_states = torch.stack(self.states(x, perturbation), 1)
        return self.readout(all_states.flatten(0, 1)).unflatten(0, all_states.shape[:2])

    def after_drawing(
        self, drawn: dict[str, Tensor], initialization: spec.Initialization, generator: torch.Generator
    ) -> None:
        """Shift the biases of the gates that keep or enter."""
        width, forget, enter = self.model.width, initialization.forget_bias, initialization.input_gate_bias
        for gate, amount in {"lstm": {0: enter, 1: forget}, "gru": {1: -forget}}.get(self.model.cell, {}).items():
            drawn["input.bias"][gate * width : (gate + 1) * width] += amount

    def states(self, x: Tensor, perturbation: Tensor | None = None) -> list[Tensor]:
        """Return the T hidden states, each [B, H]."""
        if self._is_simple(perturbation):
            return list(simple_states(self._driven(x), self.recurrent.weight, cell=self.model.cell).unbind(0))
        step = {"lstm": self._lstm, "gru": self._gru}.get(self.model.cell, self._simple)
        hidden = cell = x.new_zeros(x.shape[0], self.model.width)
        states = []
        for t, driven in enumerate(self._driven(x).unbind(0)):
            hidden, cell = step(driven, hidden, cell)
            hidden = hidden if perturbation is None else hidden + perturbation[t]
            states.append(hidden)
        return states

    def _last_state(self, x: Tensor, perturbation: Tensor | None) -> Tensor:
        if self._is_simple(perturbation):
            options = {"cell": self.model.cell, "regularization": self.model.regularization}
            return simple_states(self._driven(x), self.recurrent.weight, last_only=True, **options)
        return self.states(x, perturbation)[-1]

    def _is_simple(self, perturbation: Tensor | None) -> bool:
        return self.model.cell in SIMPLE_CELLS and perturbation is None

    def _driven(self, x: Tensor) -> Tensor:
        """Return what the inputs add to each step's sums, [T, B, gates * H]: one product for all steps."""
        by_time = x.transpose(0, 1)  # [T, B, D]: the slice of a step then lies together in memory
        return self.input(by_time.flatten(0, 1)).unflatten(0, by_time.shape[:2])

    def _simple(self, driven: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        return ACTIVATION[self.model.cell](driven + self.recurrent(hidden)), cell

    def _lstm(self, driven: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = (driven + self.recurrent(hidden)).chunk(4, -1)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(cell), cell

    def _gru(self, driven: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        r, z, n = driven.chunk(3, -1)
        from_r, from_z, from_n = self.recurrent(hidden).chunk(3, -1)
        candidate = torch.tanh(n + torch.sigmoid(r + from_r) * from_n)
        return hidden + torch.sigmoid(z + from_z) * (candidate - hidden), cell


ACTIVATION = {name: kind() for name, kind in ACTIVATIONS.items()}


def recurrent(model: spec.Recurrent, *, input_shape: tuple[int, ...], num_outputs: int) -> nn.Module:
    must, do = "inputs must be sequences (time, features)", "take a task of sequences"
    require(len(input_shape) == 2, what="Recurrent", must=must, got=input_shape, do=do)
    return Recurrent(model, num_inputs=input_shape[-1], num_outputs=num_outputs)
