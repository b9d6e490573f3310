"""The integer arithmetic of TFLite's reference kernels.

Real multipliers become 32-bit mantissas and exponents, and scaling by one rounds twice: a rounding doubling high
multiplication, then a rounding right shift. Everything here follows ``tensorflow/lite/kernels/internal/common.h``,
``quantization_util.cc`` and ``kernel_util.cc`` (built without ``TFLITE_SINGLE_ROUNDING``), restated for numpy arrays.

Accumulators are int64 arrays that hold int32 values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mbconv.generators.graph.graph import Activation, Tensor

_BLOCK = 1 << 15  # elements scaled at a time, so that the temporaries stay in the cache


@dataclass(frozen=True)
class Multiplier:
    """A positive real number, or one for each channel, as ``mantissa * 2**(exponent - 31)``.

    ``mantissa`` and ``exponent`` are int64 arrays of shape ``()`` or ``(C,)``; a mantissa is 0 or 2**30 to 2**31 - 1.
    """

    mantissa: np.ndarray
    exponent: np.ndarray

    @classmethod
    def of(cls, real: float | np.ndarray) -> Multiplier:
        """The nearest multiplier of a real number or an array of them (``QuantizeMultiplier``)."""
        real = np.asarray(real, np.float64)
        fraction, exponent = np.frexp(real)
        # C++ rounds halves away from zero, numpy to even; the numbers are positive and the sum is exact.
        mantissa = np.floor(fraction * 2.0**31 + 0.5).astype(np.int64)
        exponent = exponent.astype(np.int64)
        carried = mantissa == 1 << 31
        mantissa = np.where(carried, mantissa >> 1, mantissa)
        exponent = np.where(carried, exponent + 1, exponent)
        negligible = exponent < -31
        return cls(np.where(negligible, 0, mantissa), np.where(negligible, 0, exponent))

    def divided(self, count: int) -> Multiplier:
        """This multiplier divided by ``count`` as MEAN does it: in the mantissa, which loses up to one bit."""
        shift = np.minimum(min(count.bit_length() - 1, 32), 31 + self.exponent)
        return Multiplier((self.mantissa << shift) // count, self.exponent - shift)

    def scale(self, values: np.ndarray) -> np.ndarray:
        """``values`` times this multiplier, rounded twice (``MultiplyByQuantizedMultiplier``); int64 of equal shape.

        A multiplier of one for each channel applies to the last axis.
        """
        if values.size <= _BLOCK:
            return self._scale(values.astype(np.int64, copy=False))
        rows = values.reshape(-1, values.shape[-1])
        result = np.empty(rows.shape, np.int64)
        step = max(1, _BLOCK // rows.shape[1])
        for start in range(0, rows.shape[0], step):
            result[start : start + step] = self._scale(rows[start : start + step].astype(np.int64, copy=False))
        return result.reshape(values.shape)

    def _scale(self, values: np.ndarray) -> np.ndarray:
        if np.any(self.exponent > 0):
            # The kernel shifts left in 32 bits.
            values = (values << np.maximum(self.exponent, 0)).astype(np.int32).astype(np.int64)
        high = values * self.mantissa
        high += 1 << 30
        high >>= 31
        return rounding_right_shift(high, np.maximum(-self.exponent, 0))


def rounding_right_shift(values: np.ndarray, shift: int | np.ndarray) -> np.ndarray:
    """``values / 2**shift`` rounded to nearest, halves away from zero (``RoundingDivideByPOT``)."""
    shift = np.asarray(shift, np.int64)
    half = (np.int64(1) << shift) >> 1
    result = values >> 63  # -1 where negative: there a half rounds down
    result *= shift > 0
    result += values
    result += half
    result >>= shift
    return result


def round_half_away(real: float | np.float32) -> int:
    """``std::round``."""
    return int(math.copysign(math.floor(abs(float(real)) + 0.5), float(real)))


_LIMITS = {
    Activation.NONE: (None, None),
    Activation.RELU: (0, None),
    Activation.RELU6: (0, 6),
    Activation.RELU_N1_TO_1: (-1, 1),
    Activation.RELU_0_TO_1: (0, 1),
}


def activation_limits(activation: Activation, output: Tensor) -> tuple[int, int]:
    """The least and greatest integer that an operator with a fused activation writes.

    Source: ``CalculateActivationRangeQuantized``; the division is in float32.
    """
    minimum, maximum = output.element.minimum, output.element.maximum
    lower, upper = _LIMITS[activation]
    if lower is not None:
        minimum = max(minimum, output.zero_point + round_half_away(np.float32(lower) / np.float32(output.scale)))
    if upper is not None:
        maximum = min(maximum, output.zero_point + round_half_away(np.float32(upper) / np.float32(output.scale)))
    return minimum, maximum


def saturate(values: np.ndarray, limits: tuple[int, int], output: Tensor) -> np.ndarray:
    """``values`` clamped to ``limits``, as elements of ``output``."""
    return np.clip(values, *limits).astype(output.element.dtype)


def requantize(
    accumulators: np.ndarray, multiplier: Multiplier, output: Tensor, activation: Activation = Activation.NONE
) -> np.ndarray:
    """Accumulators scaled, offset by the output's zero point and clamped: the end of most kernels."""
    scaled = multiplier.scale(accumulators)
    scaled += output.zero_point
    return saturate(scaled, activation_limits(activation, output), output)


def requantize_real(accumulators: np.ndarray, real: np.ndarray, output: Tensor, activation: Activation) -> np.ndarray:
    """Accumulators times a real number in double precision, rounded once, halves away from zero.

    The kernel of FULLY_CONNECTED in LiteRT does so (``integer_ops/fully_connected.h``), where older releases and
    TensorFlow Lite Micro scale by the quantised multiplier.
    """
    scaled = accumulators.astype(np.float64) * real
    # std::round: unlike floor(x + 0.5) right for the number just below a half too.
    whole = np.trunc(scaled)
    scaled = whole + np.sign(scaled) * (np.abs(scaled - whole) >= 0.5)
    return saturate(scaled.astype(np.int64) + output.zero_point, activation_limits(activation, output), output)
