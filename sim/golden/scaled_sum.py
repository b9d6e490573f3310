"""What ADD and SUB of TFLite's reference kernels share (``add.cc``, ``sub.cc``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Activation, Tensor

from . import reference_arithmetic as reference

_SHIFT = 20  # how far sums of 8-bit operands are scaled up before they are rounded


def scaled_sum(
    operands: tuple[np.ndarray, np.ndarray],
    quantizations: tuple[tuple[float, int], tuple[float, int]],
    signs: tuple[int, int],
    output: Tensor,
    activation: Activation,
) -> np.ndarray:
    """A sum or difference of two operands, each given with its scale and zero point."""
    twice_largest = 2 * max(scale for scale, _ in quantizations)
    total = np.int64(0)
    for values, (scale, zero_point), sign in zip(operands, quantizations, signs, strict=True):
        multiplier = reference.Multiplier.of(scale / twice_largest)
        # SUB negates the multiplier, not the product: a half rounds the other way.
        signed = reference.Multiplier(multiplier.mantissa * sign, multiplier.exponent)
        total = total + signed.scale((values.astype(np.int64) - zero_point) << _SHIFT)
    back = reference.Multiplier.of(twice_largest / ((1 << _SHIFT) * output.scale))
    return reference.requantize(total, back, output, activation)
