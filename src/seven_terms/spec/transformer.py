"""A small transformer for images: each row of pixels is a token."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

from .checked import checked
from .checks import require
from .kinds import Model, ModelFacts, Normalization
from .limits import Bounds
from .models import LayerNorm

Size = Annotated[int, Bounds(low=1, high=100_000)]


@checked
class Transformer(Model):
    """Rows of an image as tokens: embedding and learned positions, `depth` blocks, mean over tokens, linear readout.

    A block is x + attention(norm(x)), then x + network(norm(x)) with four times the width and ReLU (normalization first, as in
    GPT-2); `normalization=None` leaves both norms out.
    """

    depth: Size = 2
    width: Size = 16
    heads: Size = 2
    normalization: Normalization | None = LayerNorm()

    builder = "seven_terms.models.transformer:transformer"
    takes = (3,)
    offers = ("curvature",)

    def __post_init__(self) -> None:
        must = f"heads must divide the width, {self.width}"
        require(self.width % self.heads == 0, what="Transformer", must=must, got=self.heads)
        mixes = self.normalization is not None and self.normalization.over_examples
        must = "normalization must treat each example alone"
        require(not mixes, what="Transformer", must=must, got=self.normalization)

    def normalized(self, input_shape: tuple[int, ...]) -> Iterator[tuple[Normalization, int, int]]:
        if self.normalization is not None:
            yield self.normalization, self.width, input_shape[1]

    def facts(self, input_shape: tuple[int, ...], num_outputs: int) -> ModelFacts:
        channels, tokens, pixels = input_shape
        width, inputs = self.width, channels * pixels
        norms = 2 * self.normalization.num_parameters(width) if self.normalization else 0
        block = 12 * width**2 + 9 * width + norms  # four matrices of attention, two of the network, biases
        embedding = (inputs + 1) * width + tokens * width
        products = tokens * (inputs * width + 12 * self.depth * width**2) + 2 * self.depth * tokens**2 * width
        saved = tokens * (inputs + self.depth * (20 * width + 3 * self.heads * tokens))
        return ModelFacts(
            num_parameters=embedding + self.depth * block + (width + 1) * num_outputs,
            multiply_adds=float(products + width * num_outputs),
            values_saved=float(saved),
            values_alive=float(saved),
            num_layers=8 * self.depth + 2,
            speed="dense",
        )


def scale_of(width: int, heads: int) -> float:
    """Return the factor on the products of queries and keys (Vaswani et al. 2017, eq. 1)."""
    return 1.0 / math.sqrt(width // heads)
