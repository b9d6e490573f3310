"""What operators with weights share: constants, their checks, and the accumulators that they can reach."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from .graph import Activation, Element, Operator, Tensor
from .number_checks import INT32_MAXIMUM, activation_problems, power_of_two, valid_scales


@dataclass(frozen=True, eq=False)
class MacOperator(Operator):
    """A convolution or fully connected operator: weights, one bias and one scale for each output channel.

    ``weights`` holds the file's integers (with ``weight_zero_point`` still in them), ``weight_scales`` one float32 or
    one for each output channel, ``bias`` one int32 for each output channel. Those of a dilated kernel stand at their
    places in a larger one, zeros between them.
    """

    FIXED_POINT: ClassVar[bool] = True
    WEIGHTED: ClassVar[bool] = True
    REDUCED: ClassVar[tuple[int, ...]]  # the axes of the weights that one output sums over
    KERNEL_AXES: ClassVar[tuple[int, ...]] = ()  # those of rows and columns

    weights: np.ndarray
    weight_element: Element
    weight_zero_point: int
    weight_scales: np.ndarray
    bias: np.ndarray
    activation: Activation = Activation.NONE
    dilation: tuple[int, int] = field(default=(1, 1), kw_only=True)

    @property
    def own_shape(self) -> tuple[int, ...]:
        """The weights' shape without the zeros of a dilated kernel."""
        shape = list(self.weights.shape)
        for axis, step in zip(self.KERNEL_AXES, self.dilation, strict=bool(self.KERNEL_AXES)):
            shape[axis] = (shape[axis] - 1) // step + 1
        return tuple(shape)

    @property
    def parameters(self) -> int:
        return math.prod(self.own_shape) + self.bias.size

    @property
    def per_channel(self) -> bool:
        return self.weight_scales.size > 1

    def macs(self, tensors: Mapping[int, Tensor]) -> int:
        output = tensors[self.outputs[0]]
        own = self.own_shape
        return output.size * math.prod(own[axis] for axis in self.REDUCED)

    def real_multipliers(self, input_tensor: Tensor, output: Tensor) -> np.ndarray:
        """Input scale × weight scale ÷ output scale, float64, one or one for each output channel."""
        return input_tensor.scale * self.weight_scales.astype(np.float64) / output.scale


def dilated(weights: np.ndarray, axes: tuple[int, int], dilation: tuple[int, int], zero: int) -> np.ndarray:
    """Weights at their places in the kernel that they are spread over, with zeros between them."""
    if dilation == (1, 1):
        return weights
    shape = list(weights.shape)
    places: list[slice] = [slice(None)] * weights.ndim
    for axis, step in zip(axes, dilation, strict=True):
        shape[axis] = (shape[axis] - 1) * step + 1
        places[axis] = slice(None, None, step)
    spread = np.full(shape, zero, weights.dtype)
    spread[tuple(places)] = weights
    return spread


def accumulator_bounds(op: MacOperator, input_tensor: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest accumulator of each output channel, the bias included: Σ (w − w₀)·(x − x₀) + bias.

    Over all inputs; the input's zero point, which padding holds, is one of them.
    """
    weights = op.weights.astype(np.int32) - op.weight_zero_point
    positive = np.maximum(weights, 0).sum(axis=op.REDUCED, dtype=np.int64)
    negative = np.minimum(weights, 0).sum(axis=op.REDUCED, dtype=np.int64)
    low, high = (
        input_tensor.element.minimum - input_tensor.zero_point,
        input_tensor.element.maximum - input_tensor.zero_point,
    )
    bias = op.bias.astype(np.int64)
    return positive * low + negative * high + bias, positive * high + negative * low + bias


def mac_problems(op: MacOperator, input_tensor: Tensor, output: Tensor, channels: int) -> list[str]:
    """What is wrong with weights, biases and scales; ``channels`` is the number of output channels of the weights."""
    problems = []
    if output.channels != channels:
        problems.append(f"has weights for {channels} output channels, but writes {output.channels}")
    if op.bias.shape != (channels,):
        problems.append(f"has biases of shape {list(op.bias.shape)} for {channels} output channels")
    if op.weight_scales.size not in (1, channels):
        problems.append(f"has {op.weight_scales.size} weight scales for {channels} output channels")
    # Scale 0 is a pruned channel's: its weights stand for 0, its output does not move.
    if not ((op.weight_scales == 0) | valid_scales(op.weight_scales)).all():
        problems.append("has a weight scale that is neither 0 nor a positive finite float32")
    for what, values in (("weights", op.weights), ("biases", op.bias)):
        if values.dtype.kind not in "iu" or values.size == 0:
            problems.append(f"has {what} of type {values.dtype} and shape {list(values.shape)}; integers are needed")
    if problems:
        return problems
    element = op.weight_element
    if int(op.weights.min()) < element.minimum or int(op.weights.max()) > element.maximum:
        problems.append(f"has weights {op.weights.min()}..{op.weights.max()} that are not all {element}")
    if not element.minimum <= op.weight_zero_point <= element.maximum:
        problems.append(f"has weight zero point {op.weight_zero_point}, outside {element.minimum}..{element.maximum}")
    if op.weight_zero_point and (element.signed or op.per_channel):
        problems.append(
            f"has weight zero point {op.weight_zero_point}; signed or per-channel weights are symmetric (zero point 0)"
        )
    if op.numbers == "affine" and element != input_tensor.element:
        problems.append(f"has {element} weights on {input_tensor.element} activations")
    problems = problems or _accumulator_problems(op, input_tensor, output)
    return problems + activation_problems(op.numbers, op.activation, output)


def wraps(op: MacOperator, input_tensor: Tensor) -> np.ndarray:
    """Which output channels have accumulators that can pass 32 bits, bool ``[Co]``.

    The reference kernels add in int32, which turns over there: what they write is what the golden model writes.
    """
    low, high = accumulator_bounds(op, input_tensor)
    return (low < -INT32_MAXIMUM - 1) | (high > INT32_MAXIMUM)


def _accumulator_problems(op: MacOperator, input_tensor: Tensor, output: Tensor) -> list[str]:
    ratios = op.real_multipliers(input_tensor, output)
    if op.numbers == "affine":
        if ratios.max() >= 2.0**30:
            return [f"enlarges its accumulators by {ratios.max():.4g}: its scales are damaged"]
        return []
    if not all(power_of_two(float(scale)) for scale in op.weight_scales.flat):
        return ["has a weight scale that is not a power of two, in binary fixed point"]
    # The accumulator is shifted right, never left.
    if float(ratios.max()) > 1:
        return [
            f"writes scale {output.scale}, finer than its accumulators' {input_tensor.scale * op.weight_scales.max()}"
        ]
    if float(ratios.min()) < 2.0**-31:
        return [f"shifts its accumulators right by {-math.log2(ratios.min()):.0f} bits; at most 31 are supported"]
    if wraps(op, input_tensor).any():
        low, high = accumulator_bounds(op, input_tensor)
        worst = int(np.maximum(np.abs(low), np.abs(high)).max())
        return [f"can reach an accumulator of {worst}, beyond 32 bits ({INT32_MAXIMUM}): use fewer bits or inputs"]
    return []
