"""The arithmetic of networks in binary fixed point: zero points are 0, scales are powers of two.

A result is an exact sum shifted right to the output's fraction with halves rounded up,
``floor((x + 2**(s-1)) / 2**s)``, then saturated; a negative shift is a left shift.
"""

from __future__ import annotations

import math

import numpy as np

from mbconv.generators.graph.graph import Activation, GraphError, Tensor


def exponent(scale: float, what: str) -> int:
    """The binary logarithm of a scale.

    Raises:
        GraphError: the scale is no power of two.
    """
    mantissa, power = math.frexp(scale)
    if mantissa != 0.5:
        raise GraphError(f"{what} has scale {scale!r}; in binary fixed point every scale is a power of two")
    return power - 1


def tensor_exponent(tensor: Tensor) -> int:
    """The binary logarithm of a tensor's scale.

    Raises:
        GraphError: the scale is no power of two, or the zero point is not 0.
    """
    what = f"tensor {tensor.index} ({tensor.name})"
    if tensor.zero_point:
        raise GraphError(f"{what} has zero point {tensor.zero_point}; in binary fixed point it is 0")
    return exponent(tensor.scale, what)


def rounding_shift(values: np.ndarray, shift: int | np.ndarray) -> np.ndarray:
    """``values / 2**shift`` rounded to nearest, halves up; a negative shift is a left shift. Exact in int64."""
    shift = np.asarray(shift, np.int64)
    left = np.maximum(-shift, 0)
    right = np.maximum(shift, 0)
    return ((values << left) + ((np.int64(1) << right) >> 1)) >> right


def limits(activation: Activation, output: Tensor) -> tuple[int, int]:
    """The least and greatest integer that an operator with a fused activation writes.

    Raises:
        GraphError: RELU6 with an output too coarse to hold 6, or an activation that binary fixed point has not.
    """
    if not activation.in_fixed_point:
        raise GraphError(
            f"tensor {output.index} ({output.name}) is written with {activation.name}, "
            "which is not defined in binary fixed point"
        )
    minimum, maximum = output.element.minimum, output.element.maximum
    if activation is not Activation.NONE:
        minimum = max(minimum, 0)
    if activation is Activation.RELU6:
        six = 6 / output.scale
        if six != int(six):
            raise GraphError(
                f"tensor {output.index} ({output.name}) is written with RELU6, but its scale {output.scale} "
                "cannot represent 6; use a scale of at most 2"
            )
        maximum = min(maximum, int(six))
    return minimum, maximum


def requantize(
    accumulators: np.ndarray, shift: int | np.ndarray, output: Tensor, activation: Activation = Activation.NONE
) -> np.ndarray:
    """Accumulators shifted to the output's fraction and saturated to its element type and activation."""
    shifted = rounding_shift(accumulators, shift)
    return np.clip(shifted, *limits(activation, output)).astype(output.element.dtype)
