"""Golden model of MAX_POOL_2D (``pooling.h``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.max_pool import MaxPool

from . import reference_arithmetic as reference
from .kernels import kernel, refuse_fixed
from .windows import valid_windows


@kernel(MaxPool)
def max_pool(operator: MaxPool, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """MAX_POOL_2D: the greatest of a window's valid elements."""
    refuse_fixed(operator)
    input_tensor = input_tensors[0]
    values = values.reshape(input_tensor.height, input_tensor.width, input_tensor.channels)
    result = np.empty((output.height, output.width, output.channels), values.dtype)
    rows = valid_windows(
        input_tensor.height, operator.kernel[0], operator.strides[0], operator.padding.top, output.height
    )
    columns = valid_windows(
        input_tensor.width, operator.kernel[1], operator.strides[1], operator.padding.left, output.width
    )
    for y, (top, bottom) in enumerate(rows):
        for x, (left, right) in enumerate(columns):
            result[y, x] = values[top:bottom, left:right].max(axis=(0, 1))
    limits = reference.activation_limits(operator.activation, output)
    return reference.saturate(result, limits, output).reshape(output.shape)
