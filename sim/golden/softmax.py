"""Golden model of SOFTMAX: the reference kernel's fixed-point exponential and reciprocal.

Sources: ``softmax.h`` of TFLite's reference kernels and ``fixedpoint.h`` of gemmlowp. ``Qn`` is a 32-bit fixed-point
number with n integer bits and 31 - n fraction bits, held in int64 arrays.
"""

from __future__ import annotations

import math

import numpy as np

from mbconv.generators.graph.graph import GraphError, Tensor
from mbconv.generators.operators.softmax import Softmax

from .kernels import kernel
from .reference_arithmetic import Multiplier, rounding_right_shift, saturate

_INT32_MAXIMUM = (1 << 31) - 1
_DIFFERENCE_BITS = 5  # integer bits of the scaled difference from the maximum
_SUM_BITS = 12  # integer bits of the sum of exponentials

_EXP_MINUS_EIGHTH = 1895147668  # exp(-1/8) in Q0
_THIRD = 715827883  # 1/3 in Q0
# exp(-2**p) in Q0 for p from -2 to 4
_EXPONENTIALS = {
    -2: 1672461947,
    -1: 1302514674,
    0: 790015084,
    1: 290630308,
    2: 39332535,
    3: 720401,
    4: 242,
}
_48_OVER_17 = 1515870810  # in Q2
_MINUS_32_OVER_17 = -1010580540  # in Q2


def _product(a: np.ndarray | int, b: np.ndarray | int) -> np.ndarray:
    """``a * b`` of raw numbers: Qm times Qn is Q(m+n). Never both the least number, which alone would saturate."""
    return (np.int64(a) * b + (1 << 30)) >> 31


def _shift_left(a: np.ndarray, bits: int) -> np.ndarray:
    """Saturating left shift: Qn becomes Q(n-bits)."""
    return np.clip(a << bits, -_INT32_MAXIMUM - 1, _INT32_MAXIMUM)


def _exp_of_last_quarter(a: np.ndarray) -> np.ndarray:
    """exp of a Q0 number in [-1/4, 0): the Taylor polynomial of degree 4 around -1/8."""
    x = a + (1 << 28)
    x2 = _product(x, x)
    x3 = _product(x2, x)
    x4 = _product(x2, x2)
    terms = rounding_right_shift(_product(rounding_right_shift(x4, 2) + x3, _THIRD) + x2, 1)
    return _EXP_MINUS_EIGHTH + _product(_EXP_MINUS_EIGHTH, x + terms)


def exp_of_negative(a: np.ndarray) -> np.ndarray:
    """exp of Q5 numbers in (-32, 0], in Q0 (``exp_on_negative_values``)."""
    fraction_bits = 31 - _DIFFERENCE_BITS
    quarter = 1 << (fraction_bits - 2)
    last_quarter = (a & (quarter - 1)) - quarter
    result = _exp_of_last_quarter(_shift_left(last_quarter, _DIFFERENCE_BITS))
    remainder = last_quarter - a
    for power, factor in _EXPONENTIALS.items():
        bit = (remainder >> (fraction_bits + power)) & 1
        result = np.where(bit == 1, _product(result, factor), result)
    return np.where(a == 0, _INT32_MAXIMUM, result)


def _reciprocal(total: int) -> tuple[int, int]:
    """1 / total of a Q12 number: a Q0 mantissa in [1/2, 1] and how many bits it is to be shifted right.

    Three Newton-Raphson steps towards 2 / (1 + x), where total is (1 + x) times a power of two
    (``GetReciprocal``, ``one_over_one_plus_x_for_x_in_0_1``).
    """
    headroom = 32 - total.bit_length()
    normalised = total << headroom if headroom >= 0 else total >> -headroom
    half_denominator = (normalised - (1 << 31) + _INT32_MAXIMUM + 1) >> 1
    x = _48_OVER_17 + int(_product(half_denominator, _MINUS_32_OVER_17))
    for _ in range(3):
        error = (1 << 29) - int(_product(half_denominator, x))
        x += int(_shift_left(_product(x, error), 2))
    return int(_shift_left(np.int64(x), 1)), _SUM_BITS - headroom


@kernel(Softmax)
def softmax(operator: Softmax, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """SOFTMAX over the last axis of 8-bit integers.

    Where the exponentials sum to 512 or more (nearly uniform inputs of more than 500 classes) the reference kernel
    aborts its process; here the same formula goes on.

    Raises:
        GraphError: elements of another width than 8 bits.
    """
    input_tensor = input_tensors[0]
    if input_tensor.element.bits != 8 or output.element.bits != 8:
        raise GraphError(
            f"operator {operator.index} (SOFTMAX) reads {input_tensor.element} and writes {output.element}; "
            "only 8-bit elements are defined"
        )
    real = min(operator.beta * input_tensor.scale * (1 << (31 - _DIFFERENCE_BITS)), (1 << 31) - 1.0)
    multiplier = Multiplier.of(real)
    # Differences whose scaled value would leave Q5 count as exp(...) = 0.
    radius = ((1 << _DIFFERENCE_BITS) - 1) * (1 << (31 - _DIFFERENCE_BITS)) / 2.0 ** int(multiplier.exponent)
    rows = values.reshape(-1, input_tensor.channels).astype(np.int64)
    result = np.full(rows.shape, output.element.minimum, np.int64)
    for row, target in zip(rows, result, strict=True):
        differences = row - row.max()
        counted = differences >= -math.floor(radius)
        exponentials = exp_of_negative(multiplier.scale(differences[counted]))
        mantissa, bits = _reciprocal(int(rounding_right_shift(exponentials, _SUM_BITS).sum()))
        target[counted] += rounding_right_shift(_product(mantissa, exponentials), bits + 31 - output.element.bits)
    limits = (output.element.minimum, output.element.maximum)
    return saturate(result, limits, output).reshape(output.shape)
