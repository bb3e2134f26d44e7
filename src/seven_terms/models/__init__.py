"""Models as plain nn.Modules without any knowledge of stacks, and their initial parameters."""

from __future__ import annotations

import math

from torch import nn

from seven_terms import spec
from seven_terms.spec import require

from .convolutional import Cnn as Cnn
from .convolutional import Resnet as Resnet
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


def build_model(model: spec.Model, *, input_shape: tuple[int, ...], num_outputs: int) -> nn.Module:
    """Return the module of a model spec, in float32 and training mode, for inputs [B, *input_shape]."""
    match model:
        case spec.Mlp():
            return Mlp(model, num_inputs=math.prod(input_shape), num_outputs=num_outputs)
        case spec.Recurrent():
            must = "inputs must be sequences (time, features)"
            require(len(input_shape) == 2, what="Recurrent", must=must, got=input_shape, do="take a task of sequences")
            return Recurrent(model, num_inputs=input_shape[-1], num_outputs=num_outputs)
        case spec.Point():
            return Point(model)
    must = "inputs must be images (channels, height, width)"
    require(
        len(input_shape) == 3, what=type(model).__name__, must=must, got=input_shape, do="set image=True on the task"
    )
    if isinstance(model, spec.Cnn):
        return Cnn(model, num_channels=input_shape[0], num_outputs=num_outputs)
    return Resnet(model, num_channels=input_shape[0], num_outputs=num_outputs)
