"""The transformer beside PyTorch's own encoder layer, and what follows from its kind."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from seven_terms import spec
from seven_terms.models import build_model, initial_parameters

SHAPE = (1, 7, 5)  # seven tokens of five pixels


def drawn(model: spec.Transformer) -> nn.Module:
    module = build_model(model, input_shape=SHAPE, num_outputs=10).double()
    module.load_state_dict(initial_parameters(module, spec.Initialization(kind="lecun"), 0), strict=False)
    return module


def images() -> Tensor:
    return torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_a_block_is_pytorchs_encoder_layer_with_the_normalization_first() -> None:
    (block,) = drawn(spec.Transformer(depth=1, width=12, heads=3)).blocks  # pyright: ignore[reportGeneralTypeIssues]
    layer = nn.TransformerEncoderLayer(12, 3, dim_feedforward=48, dropout=0.0, batch_first=True, norm_first=True)
    layer = layer.double()
    names = {
        "self_attn.in_proj_weight": block.attention.inputs.weight,
        "self_attn.in_proj_bias": block.attention.inputs.bias,
        "self_attn.out_proj.weight": block.attention.output.weight,
        "self_attn.out_proj.bias": block.attention.output.bias,
        "linear1.weight": block.network[0].weight,
        "linear1.bias": block.network[0].bias,
        "linear2.weight": block.network[2].weight,
        "linear2.bias": block.network[2].bias,
    }
    layer.load_state_dict({name: value.detach() for name, value in names.items()}, strict=False)
    x = torch.randn(4, 7, 12, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    torch.testing.assert_close(block(x.reshape(-1, 12)).reshape(4, 7, 12), layer(x), rtol=1e-10, atol=1e-12)


def test_without_its_positions_the_order_of_rows_means_nothing() -> None:
    module, x = drawn(spec.Transformer()), images()
    assert not torch.allclose(module(x), module(x.flip(2)))
    nn.init.zeros_(module.position.weight)  # pyright: ignore[reportArgumentType, reportAttributeAccessIssue]
    torch.testing.assert_close(module(x), module(x.flip(2)), rtol=1e-10, atol=1e-12)


def test_heads_that_do_not_divide_the_width_and_statistics_over_examples_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Transformer: heads must divide the width, 16, got 3\."):
        spec.Transformer(heads=3)
    with pytest.raises(ValueError, match=r"Transformer: normalization must treat each example alone, got BatchNorm"):
        spec.Transformer(normalization=spec.BatchNorm())
