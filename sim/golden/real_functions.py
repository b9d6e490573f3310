"""What kernels share that compute a real function of each element in float32 (``LUTPopulate`` of ``common.h``)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mbconv.generators.graph.graph import Tensor

from .reference_arithmetic import round_half_away


def real_function(
    function: Callable[[float], float], input_tensor: Tensor, output: Tensor, values: np.ndarray
) -> np.ndarray:
    """A function of each element's real number, computed once for each value that an element can have."""
    element = input_tensor.element
    inverse = np.float32(1) / np.float32(output.scale)
    table = np.empty(element.maximum - element.minimum + 1, output.element.dtype)
    for value in range(element.minimum, element.maximum + 1):
        real = np.float32(input_tensor.scale) * np.float32(value - input_tensor.zero_point)
        result = round_half_away(np.float32(function(float(real))) * inverse) + output.zero_point
        table[value - element.minimum] = min(max(result, output.element.minimum), output.element.maximum)
    return table[values.astype(np.int64) - element.minimum]
