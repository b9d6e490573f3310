"""Golden model of DEPTHWISE_CONV_2D."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.depthwise_convolution import DepthwiseConvolution

from .kernels import kernel
from .multiply_accumulate import (
    centred_map,
    centred_weights,
    convolution_multipliers,
    magnitude,
    padded_map,
    requantised,
)

_BLOCK = 1 << 16  # elements of the output computed at a time, so that the temporaries stay in the cache


@kernel(DepthwiseConvolution)
def depthwise(
    operator: DepthwiseConvolution, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray
) -> np.ndarray:
    """DEPTHWISE_CONV_2D."""
    weights = centred_weights(operator)
    padded = padded_map(centred_map(input_tensors[0], values), operator.padding)
    if operator.depth_multiplier > 1:
        padded = np.repeat(padded, operator.depth_multiplier, axis=2)
    bound = magnitude(padded) * int(np.abs(weights.astype(np.int64)).sum(axis=(0, 1)).max())
    dtype = np.int32 if bound < 1 << 31 else np.int64
    padded, weights = padded.astype(dtype, copy=False), weights.astype(dtype, copy=False)
    (kernel_height, kernel_width), (down, across) = operator.kernel, operator.strides
    height, width = output.height, output.width
    sums = np.empty((height, width, output.channels), dtype)
    rows = max(1, _BLOCK // (width * output.channels))
    for first in range(0, height, rows):
        block = sums[first : first + rows]
        block[:] = 0
        term = np.empty_like(block)
        for y in range(kernel_height):
            top = first * down + y
            for x in range(kernel_width):
                slices = padded[
                    top : top + (len(block) - 1) * down + 1 : down, x : x + (width - 1) * across + 1 : across
                ]
                np.multiply(slices, weights[y, x], out=term)
                block += term
    real = convolution_multipliers(operator, input_tensors[0], output)
    return requantised(operator, input_tensors[0], output, sums, real)
