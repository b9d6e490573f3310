"""Golden model of HARD_SWISH (``hard_swish.h``, ``activations.cc``): 16-bit fixed point with its own roundings."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.hard_swish import HardSwish

from .kernels import kernel, refuse_fixed
from .reference_arithmetic import Multiplier, rounding_right_shift

_INT16 = (-(1 << 15), (1 << 15) - 1)


def _int16_multiplier(real: np.float32) -> tuple[int, int]:
    """A multiplier of 15 fraction bits and its exponent (``DownScaleInt32ToInt16Multiplier``)."""
    multiplier = Multiplier.of(float(real))
    mantissa = int(multiplier.mantissa)
    if mantissa >= (1 << 31) - 1 - (1 << 15):
        return _INT16[1], int(multiplier.exponent)
    return (mantissa + (1 << 15)) >> 16, int(multiplier.exponent)


def _rounding_high_half(a: np.ndarray, b: int) -> np.ndarray:
    """The upper half of twice a product, rounded (``SaturatingRoundingDoublingHighMul``)."""
    product = a * b
    nudge = np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    return _truncated(product + nudge)


def _truncated(values: np.ndarray) -> np.ndarray:
    """``values / 2**15`` as C divides: towards zero."""
    return np.sign(values) * (np.abs(values) // (1 << 15))


@kernel(HardSwish)
def hard_swish(operator: HardSwish, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """HARD_SWISH."""
    refuse_fixed(operator)
    high_resolution = (values.astype(np.int64) - input_tensors[0].zero_point) * 128
    scale = np.float32(1 / 128) * np.float32(input_tensors[0].scale)
    output_multiplier, output_exponent = _int16_multiplier(scale / np.float32(output.scale))
    gate_multiplier, gate_exponent = _int16_multiplier(scale / np.float32(3 / 32768))
    unshifted = _rounding_high_half(high_resolution, output_multiplier)
    gate = high_resolution
    if gate_exponent > 0:
        gate = np.clip(gate * 2 ** (gate_exponent - 1), *_INT16)
    gate = _rounding_high_half(gate, gate_multiplier)
    if gate_exponent > 0:
        gate = np.clip(gate * 2, *_INT16)
    if gate_exponent < 0:
        gate = rounding_right_shift(gate, -gate_exponent)
    gate = (gate + (1 << 15)) // 2
    result = rounding_right_shift(_truncated(gate * unshifted), -output_exponent)
    result = (result + output.zero_point).astype(np.int16)  # wraps, as the kernel's variable does
    return np.clip(result, output.element.minimum, output.element.maximum).astype(output.element.dtype)
