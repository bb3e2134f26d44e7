"""A transformer whose tokens are the rows of an image, in plain operations, which have batching rules."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seven_terms import spec
from seven_terms.spec.transformer import scale_of

from .linear import Linear
from .normalization import build_normalization


class Attention(nn.Module):
    """x [B T, D] -> every token's mix of the values of all tokens of its example."""

    def __init__(self, width: int, *, heads: int, tokens: int) -> None:
        super().__init__()
        self.inputs = Linear(width, width, num_blocks=3)
        self.output = Linear(width, width)
        self.heads, self.tokens, self.scale = heads, tokens, scale_of(width, heads)

    def forward(self, x: Tensor) -> Tensor:
        width = x.shape[-1]
        mixed = self.inputs(x).reshape(-1, self.tokens, 3, self.heads, width // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)  # each [B, heads, T, D / heads]
        weights = torch.softmax(self.scale * (query @ key.transpose(-2, -1)), dim=-1)
        return self.output((weights @ value).transpose(1, 2).reshape(-1, width))


class Block(nn.Module):
    """x + attention(norm(x)), then x + network(norm(x))."""

    def __init__(self, model: spec.Transformer, *, tokens: int) -> None:
        super().__init__()
        width = model.width
        self.norm_before_attention = build_normalization(model.normalization, width)
        self.attention = Attention(width, heads=model.heads, tokens=tokens)
        self.norm_before_network = build_normalization(model.normalization, width)
        self.network = nn.Sequential(Linear(width, 4 * width), nn.ReLU(), Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm_before_attention(x))
        return x + self.network(self.norm_before_network(x))


class Transformer(nn.Module):
    """x [B, channels, T, pixels] -> outputs [B, num_outputs]."""

    def __init__(self, model: spec.Transformer, *, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__()
        channels, self.tokens, pixels = input_shape
        self.embedding = Linear(channels * pixels, model.width)
        self.position = Linear(self.tokens, model.width, bias=False)  # of its matrix a column is a place
        self.blocks = nn.Sequential(*(Block(model, tokens=self.tokens) for _ in range(model.depth)))
        self.readout = Linear(model.width, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.transpose(1, 2).reshape(-1, x.shape[1] * x.shape[3])
        embedded = self.embedding(rows).reshape(-1, self.tokens, self.position.weight.shape[0])
        embedded = embedded + self.position.weight.t()
        y = self.blocks(embedded.reshape(-1, embedded.shape[-1]))
        return self.readout(y.reshape(-1, self.tokens, y.shape[-1]).mean(1))


def transformer(model: spec.Transformer, *, input_shape: tuple[int, ...], num_outputs: int) -> nn.Module:
    return Transformer(model, input_shape=input_shape, num_outputs=num_outputs)
