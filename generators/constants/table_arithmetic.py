"""Arithmetic that tables of several operators share, after TFLite's reference kernels.

``values`` are int64 input elements; results are int64 and within the output's element.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..graph.graph import Activation, Tensor
from .step_function import activation_limits, multiply_by_quantized_multiplier, quantize_multiplier


def scaled_table(values: np.ndarray, real: float, output: Tensor, activation: Activation) -> np.ndarray:
    """Values less their zero point, times a multiplier, with the output's zero point and limits."""
    result = multiply_by_quantized_multiplier(values, *quantize_multiplier(real)) + output.zero_point
    return np.clip(result, *activation_limits(activation, output.element, output.scale, output.zero_point))


def real_table(
    values: np.ndarray, input_tensor: Tensor, output: Tensor, function: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """A real function in float32, rounded to the output's scale, halves away from zero (``LUTPopulate``).

    Args:
        function: float64 to float64; its result is rounded to float32, as an accurate ``expf`` or ``tanhf`` is.
    """
    real = np.float32(input_tensor.scale) * (values - input_tensor.zero_point).astype(np.float32)
    with np.errstate(over="ignore"):
        result = function(real.astype(np.float64)).astype(np.float32)
    scaled = result * (np.float32(1) / np.float32(output.scale))
    rounded = np.copysign(np.floor(np.abs(scaled) + np.float32(0.5)), scaled)
    return np.clip(rounded + output.zero_point, output.element.minimum, output.element.maximum).astype(np.int64)
