"""Golden model of FULLY_CONNECTED."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.fully_connected import FullyConnected

from .kernels import kernel
from .multiply_accumulate import centred_weights, exact_product, requantised


@kernel(FullyConnected)
def fully_connected(
    operator: FullyConnected, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray
) -> np.ndarray:
    """FULLY_CONNECTED over every vector of the input.

    Unlike the convolutions, its reference kernel rounds once, in double precision.
    """
    vectors = values.reshape(-1, operator.weights.shape[1]).astype(np.int32) - np.int32(input_tensors[0].zero_point)
    products = exact_product(vectors, centred_weights(operator).T)
    real = input_tensors[0].scale * np.atleast_1d(operator.weight_scales).astype(np.float64) / output.scale
    return requantised(operator, input_tensors[0], output, products, real, once=True)
