"""Layers with the arithmetic of int8 TFLite, simulated in floating point: for fine-tuning and export.

Every tensor holds multiples of its scale, as the integers of the file will; gradients pass the rounding unchanged
(the straight-through estimator of Bengio et al., 2013; training as in Jacob et al., 2018). With scales that are powers
of two sums of int8 products are exact in float32 below 2^24, and the simulation differs from the reference kernels in
the rounding of ties only.

Scales are either powers of two, with which requantisation is a shift, or any number.
"""

from __future__ import annotations

from math import ceil, inf, log2

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mbconv.generators.graph.graph import INT8, Tensor
from mbconv.generators.operators.hard_swish import HardSwish
from mbconv.training.depthwise_gradient import depthwise
from mbconv.training.mobilenet import ACTIVATIONS, ConvolutionNorm, SqueezeExcite, pad_same
from mbconv.training.tflite_writer import TfliteWriter

WEIGHT_LIMIT = 127
SIXTH = 1 / 6  # of the hard-sigmoid
KNOWN_RANGES = {"RELU6": 6.0}


def straight_through(x: torch.Tensor, rounded: torch.Tensor) -> torch.Tensor:
    """``rounded``, with the gradient of ``x``."""
    return x + (rounded - x).detach()


def power_of_two(scale: float) -> float:
    """The least power of two that is not below ``scale``."""
    return 2.0 ** ceil(log2(scale))


class ActivationQuantiser(nn.Module):
    """Rounds a tensor to int8 at its scale and zero point, which it first chooses from what it observes.

    Args:
        powers: scales are powers of two (and signed tensors have zero point 0).
        known: the tensor holds 0 to this number: its scale is known without data.
        floor: nothing reads what is below this number.
    """

    def __init__(self, powers: bool, known: float | None = None, floor: float = -inf):
        super().__init__()
        self.powers, self.known, self.floor = powers, known, floor
        self.observing = True
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.zeros(()))
        self.scale, self.zero_point = 1.0, 0

    def freeze(self) -> None:
        """Choose scale and zero point."""
        self.observing = False
        low, high = max(min(float(self.low), 0.0), self.floor), max(float(self.high), 1e-6)
        if self.known is not None:
            scale = self.known / 255
            self.scale, self.zero_point = (power_of_two(scale) if self.powers else scale), -128
        elif self.powers:
            self.scale, self.zero_point = power_of_two(max(-low / 128, high / 127)), 0
        else:
            self.scale = float(np.float32((high - low) / 255))
            self.zero_point = int(np.clip(round(-128 - low / self.scale), -128, 127))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.observing:
            self.low = torch.minimum(self.low, x.detach().min())
            self.high = torch.maximum(self.high, x.detach().max())
            return x
        # The clamp is part of the graph, so that no gradient pushes a saturated element further out.
        x = x.clamp((-128 - self.zero_point) * self.scale, (127 - self.zero_point) * self.scale)
        return straight_through(x, torch.round(x / self.scale) * self.scale)


class QuantisedHardSwish(nn.Module):
    """HARD_SWISH of a tensor that ``source`` rounded, whose results are those of the reference kernel."""

    LEAST = -3.0  # hard-swish is 0 below: what is there needs no numbers of its own

    def __init__(self, source: ActivationQuantiser):
        super().__init__()
        self.source, self.output = source, ActivationQuantiser(source.powers)
        self.results: torch.Tensor | None = None

    def _tabulate(self) -> torch.Tensor:
        source, output = (
            Tensor(index, "", (1, 1), INT8, one.scale, one.zero_point)
            for index, one in enumerate((self.source, self.output))
        )
        table = HardSwish(0, (0,), (1,)).tables(source, output, np.arange(-128, 128)[np.newaxis])[0]
        return torch.from_numpy(((table - output.zero_point) * output.scale).astype(np.float32))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.hardswish(x)
        if self.output.observing:
            return self.output(y)
        if self.results is None:
            self.results = self._tabulate()
        with torch.no_grad():
            places = torch.round(x / self.source.scale) + (self.source.zero_point + 128)
            results = self.results[places.to(torch.int32)]
        return straight_through(y, results)


class QuantisedLayer(nn.Module):
    """A convolution or a fully connected layer, folded, with int8 weights (one scale for each output) and an int32
    bias."""

    def __init__(
        self, weight: torch.Tensor, bias: torch.Tensor, powers: bool, activation: str, stride: int = 1, groups: int = 1
    ):
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)
        self.stride, self.groups, self.powers = stride, groups, powers
        swish = activation == "HARD_SWISH"
        self.fused = "NONE" if swish else activation  # an operator of its own is no part of the multiplying one
        floor = QuantisedHardSwish.LEAST if swish else -inf
        self.output = ActivationQuantiser(powers, KNOWN_RANGES.get(activation), floor)
        self.swish = QuantisedHardSwish(self.output) if swish else None
        self.input_scale = 1.0

    @classmethod
    def of(cls, layer: ConvolutionNorm | nn.Linear, powers: bool, activation: str = "NONE") -> QuantisedLayer:
        """A trained layer's; ``activation`` is that of a linear one."""
        if isinstance(layer, nn.Linear):
            return cls(layer.weight.detach().clone(), layer.bias.detach().clone(), powers, activation)
        return cls(*layer.folded(), powers, layer.activation, layer.stride, layer.convolution.groups)

    def connect(self, input_scale: float) -> ActivationQuantiser:
        """Take the input's scale; returns the output's quantiser."""
        self.input_scale = input_scale
        return self.swish.output if self.swish else self.output

    def weight_scales(self) -> torch.Tensor:
        largest = self.weight.detach().abs().flatten(1).amax(1).clamp(min=1e-8)
        scales = largest / WEIGHT_LIMIT
        return torch.exp2(torch.ceil(torch.log2(scales))) if self.powers else scales

    def integers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights, weight scales and biases as the file holds them."""
        scales = self.weight_scales()
        weights = torch.round(self.weight.detach() / scales.view(-1, *[1] * (self.weight.dim() - 1)))
        bias = torch.round(self.bias.detach().double() / (self.input_scale * scales.double()))
        return weights.numpy().astype(np.int64), scales.numpy(), bias.numpy().astype(np.int64)

    def accumulate(self, x: torch.Tensor) -> torch.Tensor:
        """The layer but for a hard-swish."""
        weight, bias = self.weight, self.bias
        if not self.output.observing:
            scales = self.weight_scales()
            shaped = scales.view(-1, *[1] * (weight.dim() - 1))
            weight = straight_through(weight, torch.round(weight / shaped) * shaped)
            step = self.input_scale * scales
            bias = straight_through(bias, torch.round(bias / step) * step)
        if weight.dim() == 2:
            y = functional.linear(x, weight, bias)
        else:
            x = pad_same(x, weight.shape[2], self.stride)
            if self.groups > 1:
                y = depthwise(x, weight, self.stride, 0) + bias[:, None, None]
            else:
                y = functional.conv2d(x, weight, bias, self.stride)
        return self.output(ACTIVATIONS[self.fused](y))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.accumulate(x)
        return self.swish(y) if self.swish else y

    def write(self, writer: TfliteWriter, x: int, name: str, vectors: bool = True) -> int:
        """Add the layer to a file: a linear one is FULLY_CONNECTED where it reads ``vectors``, else a 1×1 CONV_2D."""
        weights, scales, bias = self.integers()
        fused, strides = self.fused, (self.stride, self.stride)
        numbers = scales, bias, self.output.scale, self.output.zero_point
        if weights.ndim == 2 and vectors:
            y = writer.fully_connected(x, weights, *numbers, fused, name=name)
        elif weights.ndim == 2:
            y = writer.convolution(x, weights[:, np.newaxis, np.newaxis], *numbers, activation=fused, name=name)
        elif self.groups > 1:
            y = writer.depthwise(x, weights[:, 0].transpose(1, 2, 0), *numbers, strides, "SAME", fused, name=name)
        else:
            y = writer.convolution(x, weights.transpose(0, 2, 3, 1), *numbers, strides, "SAME", fused, name=name)
        if self.swish is None:
            return y
        output = self.swish.output
        return writer.unary("HARD_SWISH", y, output.scale, output.zero_point, name=f"{name}/hard_swish")


class QuantisedSqueezeExcite(nn.Module):
    """Squeeze-excite as TFLite has it: MEAN, two 1×1 convolutions, the second with RELU6, MUL by a sixth, and MUL of
    the map and the factors."""

    def __init__(self, layer: SqueezeExcite, powers: bool):
        super().__init__()
        self.mean = ActivationQuantiser(powers)
        self.reduce = QuantisedLayer.of(layer.reduce, powers, "RELU")
        self.expand = QuantisedLayer.of(layer.expand, powers, "RELU6")
        self.factors = ActivationQuantiser(powers, known=1.0)
        self.product = ActivationQuantiser(powers)

    def connect(self, input_scale: float) -> ActivationQuantiser:
        """Take the input's scale; returns the output's quantiser."""
        self.reduce.connect(self.mean.scale)
        self.expand.connect(self.reduce.output.scale)
        return self.product

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        factors = self.factors(self.expand(self.reduce(self.mean(x.mean(dim=(2, 3))))) * SIXTH)
        return self.product(x * factors[:, :, None, None])

    def write(self, writer: TfliteWriter, x: int, name: str) -> int:
        """Add the operators to a file."""
        y = writer.mean(x, self.mean.scale, self.mean.zero_point, keep=True, name=f"{name}/mean")
        y = self.reduce.write(writer, y, f"{name}/reduce", vectors=False)
        y = self.expand.write(writer, y, f"{name}/expand", vectors=False)
        scale, zero_point = self.factors.scale, self.factors.zero_point
        # The constant as TensorFlow's converter writes it: its largest integer.
        y = writer.constant_arithmetic(
            "MUL", y, np.array(127), SIXTH / 255, -128, scale, zero_point, name=f"{name}/factors"
        )
        return writer.arithmetic("MUL", x, y, self.product.scale, self.product.zero_point, name=f"{name}/product")
