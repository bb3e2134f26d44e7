"""Models as plain nn.Modules without any knowledge of stacks, and their initial parameters."""

from __future__ import annotations

from torch import nn

from seven_terms import spec

from .attention import fast_attention as fast_attention
from .convolutional import Cnn as Cnn
from .convolutional import Resnet as Resnet
from .dropout import with_own_dropout
from .initialization import InitialParameters as InitialParameters
from .initialization import initial_parameters as initial_parameters
from .linear import Linear as Linear
from .mlp import Mlp as Mlp
from .normalization import BatchNorm as BatchNorm
from .normalization import GroupNorm as GroupNorm
from .point import Point as Point
from .recurrent import Recurrent as Recurrent
from .shares import mean_over_shares as mean_over_shares
from .tap import ACTIVATIONS as ACTIVATIONS
from .tap import OutputTap as OutputTap
from .tap import Tap as Tap
from .tap import output_taps as output_taps
from .tap import taps as taps
from .trained import trained_names as trained_names


def build_model(model: spec.Model, *, input_shape: tuple[int, ...], num_outputs: int) -> nn.Module:
    """Return the module of a model spec, in float32 and training mode, for inputs [B, *input_shape]."""
    return with_own_dropout(model.build(input_shape=input_shape, num_outputs=num_outputs))
