"""Convolutional networks for images: a small one, and the residual and plain nets of He et al. 2015 for CIFAR-10."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from seven_terms import spec
from seven_terms.spec import require

from . import tap
from .linear import Convolution, Linear
from .normalization import build_normalization
from .tap import OutputTap, Tap


class ConvolutionAndNorm(nn.Module):
    """3x3 convolution -> [normalization]; a bias only where no normalization follows."""

    def __init__(self, num_inputs: int, channels: int, *, stride: int, norm: spec.Normalization | None) -> None:
        super().__init__()
        self.convolution = Convolution(num_inputs, channels, 3, stride=stride, padding=1, bias=norm is None)
        self.normalization = build_normalization(norm, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.normalization(self.convolution(x))


class Layer(nn.Module):
    """Convolution -> [normalization] -> activation."""

    def __init__(
        self,
        num_inputs: int,
        channels: int,
        *,
        stride: int,
        norm: spec.Normalization | None,
        activation: spec.Activation,
    ) -> None:
        super().__init__()
        self.linear = ConvolutionAndNorm(num_inputs, channels, stride=stride, norm=norm)
        self.tap = Tap()
        self.activation = tap.activation(activation)
        self.output = OutputTap()

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.activation(self.tap(self.linear(x))))


class Cnn(nn.Module):
    """x [B, channels, height, width] -> outputs [B, num_outputs]: layers, mean over places, linear readout."""

    def __init__(self, model: spec.Cnn, *, num_channels: int, num_outputs: int) -> None:
        super().__init__()
        inputs = (num_channels, *model.channels[:-1])
        self.layers = nn.Sequential(
            *(
                Layer(before, channels, stride=stride, norm=model.normalization, activation=model.activation)
                for before, channels, stride in zip(inputs, model.channels, model.strides, strict=True)
            )
        )
        self.readout = Linear(model.channels[-1], num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.layers(x).mean((2, 3)))


class Block(nn.Module):
    """Two convolutions and a skip (He et al. 2015, figure 2), or the same without the skip in a plain net."""

    def __init__(self, num_inputs: int, channels: int, *, stride: int, model: spec.Resnet) -> None:
        super().__init__()
        self.skips, self.stride, self.added = model.residual, stride, channels - num_inputs
        self.first = Layer(num_inputs, channels, stride=stride, norm=model.normalization, activation="relu")
        self.second = ConvolutionAndNorm(channels, channels, stride=1, norm=model.normalization)
        self.tap = Tap()
        self.activation = nn.ReLU()
        self.output = OutputTap()

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(self.first(x))
        return self.output(self.activation(self.tap(y + self._shortcut(x) if self.skips else y)))

    def _shortcut(self, x: Tensor) -> Tensor:
        """Option A: every second place, and channels of zeros added; no parameters."""
        if self.stride == 1 and not self.added:
            return x
        half = self.added // 2
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.added - half))


class Resnet(nn.Module):
    """x [B, channels, height, width] -> outputs [B, num_outputs]: 6n + 2 layers, three stages of n blocks."""

    def __init__(self, model: spec.Resnet, *, num_channels: int, num_outputs: int) -> None:
        super().__init__()
        self.stem = Layer(num_channels, model.width, stride=1, norm=model.normalization, activation="relu")
        blocks, channels = [], model.width
        for stage in range(3):
            for index in range(model.n):
                stride = 2 if stage and not index else 1
                blocks.append(Block(channels, model.width * 2**stage, stride=stride, model=model))
                channels = model.width * 2**stage
        self.blocks = nn.Sequential(*blocks)
        self.readout = Linear(channels, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.blocks(self.stem(x)).mean((2, 3)))


def cnn(model: spec.Cnn, *, input_shape: tuple[int, ...], num_outputs: int) -> nn.Module:
    return Cnn(model, num_channels=_channels(model, input_shape), num_outputs=num_outputs)


def resnet(model: spec.Resnet, *, input_shape: tuple[int, ...], num_outputs: int) -> nn.Module:
    return Resnet(model, num_channels=_channels(model, input_shape), num_outputs=num_outputs)


def _channels(model: spec.Model, input_shape: tuple[int, ...]) -> int:
    must, do = "inputs must be images (channels, height, width)", "set image=True on the task"
    require(len(input_shape) == 3, what=type(model).__name__, must=must, got=input_shape, do=do)
    return input_shape[0]
