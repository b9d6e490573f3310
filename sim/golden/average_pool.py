"""Golden model of AVERAGE_POOL_2D (``pooling.h``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.average_pool import AveragePool

from . import reference_arithmetic as reference
from .kernels import kernel, refuse_fixed
from .windows import valid_windows


@kernel(AveragePool)
def average_pool(operator: AveragePool, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """AVERAGE_POOL_2D: the mean of a window's valid elements, halves away from zero, in the raw integers.

    Zero points stay in: input and output are quantised alike, and the rounding is that of the stored integers.
    """
    refuse_fixed(operator)
    input_tensor = input_tensors[0]
    values = values.reshape(input_tensor.height, input_tensor.width, input_tensor.channels).astype(np.int64)
    result = np.empty((output.height, output.width, output.channels), np.int64)
    rows = valid_windows(
        input_tensor.height, operator.kernel[0], operator.strides[0], operator.padding.top, output.height
    )
    columns = valid_windows(
        input_tensor.width, operator.kernel[1], operator.strides[1], operator.padding.left, output.width
    )
    for y, (top, bottom) in enumerate(rows):
        for x, (left, right) in enumerate(columns):
            total = values[top:bottom, left:right].sum(axis=(0, 1))
            count = (bottom - top) * (right - left)
            result[y, x] = np.sign(total) * ((np.abs(total) + count // 2) // count)
    limits = reference.activation_limits(operator.activation, output)
    return reference.saturate(result, limits, output).reshape(output.shape)
