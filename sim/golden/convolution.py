"""Golden model of the operators that multiply and accumulate: CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED.

Accumulators are exact integers. The matrix products run in floating point where every partial sum is provably an
integer that the type holds exactly, so BLAS may add in any order.
"""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import (
    Convolution,
    DepthwiseConvolution,
    FullyConnected,
    MacOperator,
    Padding,
    Tensor,
)

from . import fixed_arithmetic as fixed
from . import reference_arithmetic as reference

_BLOCK = 1 << 16  # elements of a depthwise output computed at a time, so that the temporaries stay in the cache


def exact_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The matrix product of integer matrices ``(m, k)`` and ``(k, n)``, exact, as int64."""
    if a.size == 0 or b.size == 0:
        return np.zeros((a.shape[0], b.shape[1]), np.int64)
    bound = _magnitude(a) * int(np.abs(b.astype(np.int64)).sum(axis=0).max())
    for dtype, limit in ((np.float32, 1 << 24), (np.float64, 1 << 53)):
        if bound <= limit:
            return (a.astype(dtype) @ b.astype(dtype)).astype(np.int64)
    return a.astype(np.int64) @ b.astype(np.int64)


def _magnitude(values: np.ndarray) -> int:
    return max(abs(int(values.min())), abs(int(values.max())))


def _padded(values: np.ndarray, padding: Padding) -> np.ndarray:
    """A map ``(height, width, channels)`` whose zero point is already 0, padded."""
    if padding == Padding():
        return values
    return np.pad(values, ((padding.top, padding.bottom), (padding.left, padding.right), (0, 0)))


def _weights(operator: MacOperator) -> np.ndarray:
    return operator.weights.astype(np.int32) - np.int32(operator.weight_zero_point)


def _map(source: Tensor, values: np.ndarray) -> np.ndarray:
    """The input's map, less its zero point."""
    return values.reshape(source.height, source.width, source.channels).astype(np.int32) - np.int32(source.zero_point)


def _finish(operator: MacOperator, source: Tensor, output: Tensor, products: np.ndarray) -> np.ndarray:
    """Sums of products, the output channel last, to the output tensor."""
    accumulators = products + operator.bias.astype(np.int64)
    if operator.numbers == "fixed":
        what = f"operator {operator.index} ({operator.kind}): a weight"
        weight_exponents = np.array([fixed.exponent(float(s), what) for s in np.atleast_1d(operator.weight_scales)])
        shift = fixed.tensor_exponent(output) - fixed.tensor_exponent(source) - weight_exponents
        result = fixed.requantize(accumulators, shift, output, operator.activation)
    else:
        real = _real_multipliers(operator, source, output)
        if isinstance(operator, FullyConnected):
            result = reference.requantize_real(accumulators, real, output, operator.activation)
        else:
            result = reference.requantize(accumulators, reference.Multiplier.of(real), output, operator.activation)
    return result.reshape(output.shape)


def _real_multipliers(operator: MacOperator, source: Tensor, output: Tensor) -> np.ndarray:
    """Input scale times weight scale over output scale, with the intermediate precision of each kernel."""
    weight_scales = np.atleast_1d(np.asarray(operator.weight_scales, np.float32))
    if not operator.weight_element.signed and not isinstance(operator, FullyConnected):
        # GetQuantizedConvolutionMultipler multiplies in float32.
        return (np.float32(source.scale) * weight_scales).astype(np.float64) / output.scale
    return source.scale * weight_scales.astype(np.float64) / output.scale


def convolution(operator: Convolution, sources: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """CONV_2D."""
    weights = _weights(operator)
    padded = _padded(_map(sources[0], values), operator.padding)
    (kernel_height, kernel_width), (down, across) = operator.kernel, operator.strides
    if (kernel_height, kernel_width) == (1, 1):
        patches = padded[::down, ::across]
    else:
        windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel_height, kernel_width), axis=(0, 1))
        patches = windows[::down, ::across].transpose(0, 1, 3, 4, 2)
    patches = patches[: output.height, : output.width].reshape(output.height * output.width, -1)
    products = exact_product(patches, weights.reshape(weights.shape[0], -1).T)
    return _finish(operator, sources[0], output, products)


def depthwise(operator: DepthwiseConvolution, sources: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """DEPTHWISE_CONV_2D."""
    weights = _weights(operator)
    padded = _padded(_map(sources[0], values), operator.padding)
    if operator.depth_multiplier > 1:
        padded = np.repeat(padded, operator.depth_multiplier, axis=2)
    bound = _magnitude(padded) * int(np.abs(weights.astype(np.int64)).sum(axis=(0, 1)).max())
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
    return _finish(operator, sources[0], output, sums)


def fully_connected(operator: FullyConnected, sources: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """FULLY_CONNECTED over the whole input as one vector.

    Unlike the convolutions, its reference kernel rounds once, in double precision.
    """
    vector = values.reshape(1, -1).astype(np.int32) - np.int32(sources[0].zero_point)
    return _finish(operator, sources[0], output, exact_product(vector, _weights(operator).T))
