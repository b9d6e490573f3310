"""Golden model of L2_NORMALIZATION (``l2normalization.h``; ``GetInvSqrtQuantizedMultiplierExp`` of ``common.h``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.l2_normalization import L2Normalization

from .kernels import kernel, refuse_fixed
from .reference_arithmetic import Multiplier

_INT32_MAXIMUM = (1 << 31) - 1
_ONE, _ONE_AND_A_HALF = 1 << 28, (1 << 28) + (1 << 27)  # with 28 fraction bits
_HALF_SQUARE_ROOT_OF_2 = 1518500250  # with 31
_OUTPUT_BITS = 7  # of the output's scale, 1/128


def _product(a: int, b: int) -> int:
    """Of fixed-point numbers, which have as many integer bits as both together."""
    return (a * b + (1 << 30)) >> 31


def _fewer_integer_bits(a: int, bits: int) -> int:
    return min(max(a << bits, -_INT32_MAXIMUM - 1), _INT32_MAXIMUM)


def inverse_square_root(total: int) -> tuple[int, int]:
    """A mantissa of 31 bits and a left shift: five steps of Newton's, of numbers with 3 integer bits."""
    if total <= 1:
        return _INT32_MAXIMUM, 0
    shift = 11
    while total >= 1 << 29:
        total //= 4
        shift += 1
    pairs = (32 - total.bit_length() - 1) // 2 - 1
    shift -= pairs
    total <<= 2 * pairs
    value = total >> 1
    half = (value + 1) >> 1  # rounded, as every halving of gemmlowp's is
    x = _ONE
    for _ in range(5):
        cube = _fewer_integer_bits(_product(_product(x, x), x), 6)
        x = _fewer_integer_bits(_product(_ONE_AND_A_HALF, x) - _product(half, cube), 3)
    mantissa = _product(x, _HALF_SQUARE_ROOT_OF_2)
    if shift < 0:
        mantissa, shift = mantissa << -shift, 0
    return mantissa, -shift


@kernel(L2Normalization)
def l2_normalization(
    operator: L2Normalization, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray
) -> np.ndarray:
    """L2_NORMALIZATION of each vector of channels."""
    refuse_fixed(operator)
    (input_tensor,) = input_tensors
    vectors = values.reshape(-1, input_tensor.shape[-1]).astype(np.int64) - input_tensor.zero_point
    result = np.empty(vectors.shape, np.int64)
    for vector, target in zip(vectors, result, strict=True):
        mantissa, shift = inverse_square_root(int((vector * vector).sum()))
        # Into the output's scale by the multiplier where elements are signed, before it where not.
        inside, before = (_OUTPUT_BITS, 0) if output.element.signed else (0, _OUTPUT_BITS)
        multiplier = Multiplier(np.int64(mantissa), np.int64(shift + inside))
        target[:] = multiplier.scale(vector << before) + output.zero_point
    limits = output.element.minimum, output.element.maximum
    return np.clip(result, *limits).astype(output.element.dtype).reshape(output.shape)
