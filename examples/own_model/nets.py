"""Plain PyTorch: nothing here knows that many runs train at once. `input_shape` and `num_outputs` come from the task."""

import math

import torch
from torch import Tensor, nn


class Transformer(nn.Module):
    """One block of attention over the rows of an image, with learned positions; dropout draws from the run's own seed."""

    def __init__(
        self, num_inputs: int, num_outputs: int, width: int = 16, heads: int = 2, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.side = math.isqrt(num_inputs)
        self.embed = nn.Linear(self.side, width)
        self.positions = nn.Parameter(torch.randn(self.side, width) / math.sqrt(width))
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )
        self.readout = nn.Linear(width, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        rows = self.embed(x.reshape(x.shape[0], self.side, self.side)) + self.positions
        y = self.norm(rows + self.attention(rows, rows, rows, need_weights=False)[0])
        return self.readout((y + self.feed(y)).mean(1))


class Gru(nn.Module):
    """PyTorch's own GRU reads an image row by row. It cannot be stacked under `vmap`, so its runs train one by one."""

    def __init__(self, num_inputs: int, num_outputs: int, width: int = 16) -> None:
        super().__init__()
        self.side = math.isqrt(num_inputs)
        self.gru = nn.GRU(self.side, width, batch_first=True)
        self.readout = nn.Linear(width, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.gru(x.reshape(x.shape[0], self.side, self.side))[0][:, -1])
