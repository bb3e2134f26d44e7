"""Modules as a user brings them: plain PyTorch, no word of this project."""

import math

import torch
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self, num_inputs: int, num_outputs: int, width: int = 16, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(num_inputs, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(dropout)
        )
        self.readout = nn.Linear(width, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.layers(x))


class GruNet(nn.Module):
    def __init__(self, input_shape: tuple[int, int], num_outputs: int, width: int = 8) -> None:
        super().__init__()
        self.gru = nn.GRU(input_shape[-1], width, batch_first=True)
        self.readout = nn.Linear(width, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.gru(x)[0][:, -1])


class Transformer(nn.Module):
    """One block of attention over patches, with learned positions."""

    def __init__(self, num_inputs: int, num_outputs: int, width: int = 16, heads: int = 2, length: int = 7) -> None:
        super().__init__()
        self.length = length
        self.embed = nn.Linear(num_inputs // length, width)
        self.positions = nn.Parameter(torch.randn(length, width) / math.sqrt(width))
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.readout = nn.Linear(width, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = self.embed(x.reshape(x.shape[0], self.length, -1)) + self.positions
        y = self.norm(y + self.attention(y, y, y, need_weights=False)[0])
        return self.readout(y.mean(1))


class Fixed(nn.Module):
    """The same weights whatever the random numbers."""

    def __init__(self, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, num_inputs * num_outputs).reshape(num_inputs, num_outputs))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.weight
