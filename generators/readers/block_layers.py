"""Layers with random weights and scales under which every layer's outputs spread over their range.

Scales come from statistics, not from data: the input is taken as uniform over its range and elements as independent, so
an accumulator has mean ``m·Σw + bias`` and variance ``v·Σw²``, and what an activation clips from a normal distribution
is integrated numerically.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ..graph.graph import Activation, Element, Graph, GraphError, Operator, Padding, Tensor
from ..operators.add import Add
from ..operators.convolution import Convolution
from ..operators.depthwise_convolution import DepthwiseConvolution
from .block_weights import layer_array

LINEAR_STEPS = 40  # standard deviation of a linear output in steps of its int8 scale: a few of a thousand saturate
INTEGER_BITS = 3  # of a ReLU6 output in binary fixed point
INT32 = np.iinfo(np.int32)


class BlockBuilder:
    """A block under construction: methods add a layer and return the index of the tensor it writes.

    Args:
        numbers: ``affine`` or ``fixed``.
        activation_bits, weight_bits: the elements' widths.
        seed: of all random numbers.
        arrays: weights and scales that replace the random ones, see :mod:`~mbconv.generators.readers.block_weights`.
    """

    def __init__(
        self,
        numbers: str,
        activation_bits: int,
        weight_bits: int,
        seed: int,
        arrays: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.numbers = numbers
        self.activation_bits = activation_bits
        self.weight_bits = weight_bits
        self.random = np.random.default_rng(seed)
        self.arrays = arrays
        self.used: set[str] = set()
        self.tensors: dict[int, Tensor] = {}
        self.operators: list[Operator] = []
        # Of each tensor, mean and variance of (element − zero point), in steps.
        self.moments: dict[int, tuple[float, float]] = {}

    @property
    def fixed(self) -> bool:
        return self.numbers == "fixed"

    def graph(self, name: str, input_tensor: int, output: int) -> Graph:
        """The finished block.

        Raises:
            GraphError: the weights file holds arrays that no layer uses.
        """
        unknown = sorted(set(self.arrays or ()) - self.used)
        if unknown:
            raise GraphError(f"the weights file holds {', '.join(unknown[:20])}, which no layer of {name} has")
        return Graph(name, dict(self.tensors), tuple(self.operators), (input_tensor,), (output,))

    def _array(self, key: str, shape: tuple[int, ...], integers: bool, needed: bool = False) -> np.ndarray | None:
        """An array of the weights file; None without a file, or where it may be left out."""
        if self.arrays is None:
            return None
        self.used.add(key)
        return layer_array(self.arrays, key, shape, integers, needed)

    def _tensor(self, name: str, shape: tuple[int, ...], linear: bool, scale: float) -> Tensor:
        """Add a tensor with the scale chosen, unless the weights file gives another."""
        if self.fixed:
            element, zero_point = Element(self.activation_bits, linear), 0
        else:
            element = Element(self.activation_bits, True)
            drawn = int(self.random.integers(1, 17)) * int(self.random.choice((-1, 1)))
            zero_point = drawn if linear else element.minimum
        given = self._array(f"{name}_scale", (), integers=False)
        scale = float(np.float32(scale if given is None else given))
        given = self._array(f"{name}_zero_point", (), integers=True)
        zero_point = zero_point if given is None else int(given)
        tensor = Tensor(len(self.tensors), name, shape, element, scale, zero_point)
        self.tensors[tensor.index] = tensor
        return tensor

    def _linear_scale(self, deviation: float) -> float:
        """The scale of a signed tensor whose real values have a standard deviation."""
        if self.fixed:
            # Three standard deviations fit, and no more than six.
            return 2.0 ** math.ceil(math.log2(3 * deviation / 2 ** (self.activation_bits - 1)))
        return deviation / LINEAR_STEPS

    def input(self, shape: tuple[int, ...], linear: bool) -> int:
        """The block's input: a linear layer's output, or a ReLU6 layer's."""
        tensor = self._tensor("input", shape, linear, self._linear_scale(1.0) if linear else self._relu6_scale())
        minimum, maximum = tensor.element.minimum, tensor.element.maximum
        self.moments[tensor.index] = (
            (minimum + maximum) / 2 - tensor.zero_point,
            ((maximum - minimum + 1) ** 2 - 1) / 12,
        )
        return tensor.index

    def _relu6_scale(self) -> float:
        return 2.0 ** (INTEGER_BITS - self.activation_bits) if self.fixed else 6 / 255

    def pointwise(self, name: str, input_tensor: int, channels: int, activation: Activation) -> int:
        """A 1×1 convolution."""
        depth = self.tensors[input_tensor].channels
        given = self._array(f"{name}_weights", (channels, 1, 1, depth), integers=True, needed=True)
        weights = self._weights((channels, 1, 1, depth)) if given is None else given
        shape = (*self.tensors[input_tensor].shape[:3], channels)
        common, output = self._mac(name, input_tensor, weights.reshape(channels, -1), shape, activation)
        self.operators.append(Convolution(**common, weights=weights))
        return output

    def depthwise(
        self,
        name: str,
        input_tensor: int,
        multiplier: int,
        kernel: tuple[int, int],
        strides: tuple[int, int],
        activation: Activation,
    ) -> int:
        """A depthwise convolution with a kernel of rows × columns and SAME padding."""
        x = self.tensors[input_tensor]
        channels = x.channels * multiplier
        given = self._array(f"{name}_weights", (*kernel, channels), integers=True, needed=True)
        weights = self._weights((*kernel, channels)) if given is None else given
        shape = (1, -(-x.height // strides[0]), -(-x.width // strides[1]), channels)
        padding = Padding.same((x.height, x.width), kernel, strides)
        common, output = self._mac(name, input_tensor, weights.reshape(-1, channels).T, shape, activation)
        self.operators.append(
            DepthwiseConvolution(
                **common, weights=weights, strides=strides, padding=padding, depth_multiplier=multiplier
            )
        )
        return output

    def _weights(self, shape: tuple[int, ...]) -> np.ndarray:
        """Random weights, symmetric: the least integer of the type does not occur."""
        element = Element(self.weight_bits, True)
        if element.maximum < 8:
            values = self.random.integers(-element.maximum, element.maximum + 1, shape)
        else:
            values = np.rint(self.random.normal(0, element.maximum / 2.5, shape))
        return np.clip(values, -element.maximum, element.maximum).astype(element.dtype)

    def _mac(
        self, name: str, input_tensor: int, rows: np.ndarray, shape: tuple[int, ...], activation: Activation
    ) -> tuple[dict, int]:
        """Scales, biases and the output tensor of weights ``rows`` ``[Co][inputs]``."""
        x = self.tensors[input_tensor]
        channels = rows.shape[0]
        linear = activation is Activation.NONE
        mean, variance = self.moments[input_tensor]
        wide = rows.astype(np.int64)
        deviations = np.maximum(np.sqrt(variance * (wide**2).sum(axis=1)), 1.0)
        # What the pre-activations should be like: real mean and standard deviation of each channel.
        target_means = self.random.uniform(-0.5, 0.5, channels) if linear else self.random.uniform(1, 3, channels)
        target_deviations = self.random.uniform(0.6, 1.4, channels) * (1.0 if linear else 2.5)
        output = self._tensor(name, shape, linear, self._linear_scale(1.0) if linear else self._relu6_scale())
        given = self._array(f"{name}_weight_scales", (channels,), integers=False)
        if given is not None:
            scales = given.astype(np.float32)
        elif self.fixed:
            typical = float(np.median(target_deviations) / (x.scale * np.median(deviations)))
            # An accumulator is never coarser than the output: requantisation shifts right.
            scales = np.array([min(2.0 ** round(math.log2(typical)), output.scale / x.scale)], np.float32)
        else:
            scales = (target_deviations / (x.scale * deviations)).astype(np.float32)
        steps = x.scale * scales.astype(np.float64)
        bias = self._array(f"{name}_bias", (channels,), integers=True)
        if bias is None:
            centred = np.rint(target_means / steps - mean * wide.sum(axis=1))
            bias = np.clip(centred, INT32.min, INT32.max) if self.arrays is None else np.zeros(channels)
        if bias.size and (bias.min() < INT32.min or bias.max() > INT32.max):
            raise GraphError(f"the weights file's {name}_bias holds {bias.min()}..{bias.max()}, beyond int32")
        means = (mean * wide.sum(axis=1) + bias) * steps
        self.moments[output.index] = _clipped_moments(means, deviations * steps, output, activation)
        common = {
            "index": len(self.operators),
            "inputs": (input_tensor,),
            "outputs": (output.index,),
            "weight_element": Element(self.weight_bits, True),
            "weight_zero_point": 0,
            "weight_scales": scales,
            "bias": bias.astype(np.int32),
            "activation": activation,
            "numbers": self.numbers,
        }
        return common, output.index

    def add(self, name: str, a: int, b: int) -> int:
        """ADD of two tensors: the residual's join."""
        input_tensors = (self.tensors[a], self.tensors[b])
        deviation = math.sqrt(sum(self.moments[t.index][1] * t.scale**2 for t in input_tensors))
        scale = self._linear_scale(deviation)
        if self.fixed:
            scale = max(scale, min(t.scale for t in input_tensors))
        output = self._tensor(name, input_tensors[0].shape, True, scale)
        self.operators.append(Add(len(self.operators), (a, b), (output.index,), numbers=self.numbers))
        mean = sum(self.moments[t.index][0] * t.scale for t in input_tensors) / output.scale
        self.moments[output.index] = (mean, (deviation / output.scale) ** 2)
        return output.index


def _clipped_moments(
    means: np.ndarray, deviations: np.ndarray, output: Tensor, activation: Activation
) -> tuple[float, float]:
    """Mean and variance over all channels, in steps of the output, of normal variables clipped as the output clips."""
    low = (output.element.minimum - output.zero_point) * output.scale
    high = (output.element.maximum - output.zero_point) * output.scale
    if activation is not Activation.NONE:
        low = max(low, 0.0)
    if activation is Activation.RELU6:
        high = min(high, 6.0)
    points = np.linspace(-4, 4, 81)
    density = np.exp(-(points**2) / 2)
    density /= density.sum()
    values = np.clip(means[:, None] + deviations[:, None] * points, low, high) / output.scale
    mean = float((values @ density).mean())
    return mean, max(float(((values - mean) ** 2 @ density).mean()), 1e-6)
