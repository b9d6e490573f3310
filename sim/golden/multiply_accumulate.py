"""What the kernels of operators with weights share: exact sums of products, and their requantisation.

Accumulators are exact integers. The matrix products run in floating point where every partial sum is provably an
integer that the type holds exactly, so BLAS may add in any order.
"""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Padding, Tensor
from mbconv.generators.graph.mac_operator import MacOperator

from . import fixed_arithmetic as fixed
from . import reference_arithmetic as reference


def exact_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The matrix product of integer matrices ``(m, k)`` and ``(k, n)``, exact, as int64."""
    if a.size == 0 or b.size == 0:
        return np.zeros((a.shape[0], b.shape[1]), np.int64)
    bound = magnitude(a) * int(np.abs(b.astype(np.int64)).sum(axis=0).max())
    for dtype, limit in ((np.float32, 1 << 24), (np.float64, 1 << 53)):
        if bound <= limit:
            return (a.astype(dtype) @ b.astype(dtype)).astype(np.int64)
    return a.astype(np.int64) @ b.astype(np.int64)


def magnitude(values: np.ndarray) -> int:
    return max(abs(int(values.min())), abs(int(values.max())))


def padded_map(values: np.ndarray, padding: Padding) -> np.ndarray:
    """A map ``(height, width, channels)`` whose zero point is already 0, padded."""
    if padding == Padding():
        return values
    return np.pad(values, ((padding.top, padding.bottom), (padding.left, padding.right), (0, 0)))


def centred_weights(operator: MacOperator) -> np.ndarray:
    return operator.weights.astype(np.int32) - np.int32(operator.weight_zero_point)


def centred_map(input_tensor: Tensor, values: np.ndarray) -> np.ndarray:
    """The input's map, less its zero point."""
    return values.reshape(input_tensor.height, input_tensor.width, input_tensor.channels).astype(np.int32) - np.int32(
        input_tensor.zero_point
    )


def requantised(
    operator: MacOperator,
    input_tensor: Tensor,
    output: Tensor,
    products: np.ndarray,
    real: np.ndarray,
    *,
    once: bool = False,
) -> np.ndarray:
    """Sums of products, the output channel last, to the output tensor.

    Args:
        real: of affine numbers, the real multiplier of each channel in the precision of the operator's kernel.
        once: round once, in double precision, instead of as the quantised multiplier does.
    """
    accumulators = products + operator.bias.astype(np.int64)
    if operator.numbers == "fixed":
        what = f"operator {operator.index} ({operator.kind}): a weight"
        weight_exponents = np.array([fixed.exponent(float(s), what) for s in np.atleast_1d(operator.weight_scales)])
        shift = fixed.tensor_exponent(output) - fixed.tensor_exponent(input_tensor) - weight_exponents
        result = fixed.requantize(accumulators, shift, output, operator.activation)
    else:
        accumulators = accumulators.astype(np.int32).astype(np.int64)  # the kernels add in 32 bits, which turn over
        if once:
            result = reference.requantize_real(accumulators, real, output, operator.activation)
        else:
            result = reference.requantize(accumulators, reference.Multiplier.of(real), output, operator.activation)
    return result.reshape(output.shape)


def convolution_multipliers(operator: MacOperator, input_tensor: Tensor, output: Tensor) -> np.ndarray:
    """Input scale times weight scale over output scale, with the intermediate precision of the convolutions."""
    weight_scales = np.atleast_1d(np.asarray(operator.weight_scales, np.float32))
    if not operator.weight_element.signed:
        # GetQuantizedConvolutionMultipler multiplies in float32.
        return (np.float32(input_tensor.scale) * weight_scales).astype(np.float64) / output.scale
    return input_tensor.scale * weight_scales.astype(np.float64) / output.scale
