"""Golden model of CONV_2D."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.convolution import Convolution

from .kernels import kernel
from .multiply_accumulate import (
    centred_map,
    centred_weights,
    convolution_multipliers,
    exact_product,
    padded_map,
    requantised,
)


@kernel(Convolution)
def convolution(operator: Convolution, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """CONV_2D."""
    weights = centred_weights(operator)
    padded = padded_map(centred_map(input_tensors[0], values), operator.padding)
    (kernel_height, kernel_width), (down, across) = operator.kernel, operator.strides
    if (kernel_height, kernel_width) == (1, 1):
        patches = padded[::down, ::across]
    else:
        windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel_height, kernel_width), axis=(0, 1))
        patches = windows[::down, ::across].transpose(0, 1, 3, 4, 2)
    patches = patches[: output.height, : output.width].reshape(output.height * output.width, -1)
    products = exact_product(patches, weights.reshape(weights.shape[0], -1).T)
    real = convolution_multipliers(operator, input_tensors[0], output)
    return requantised(operator, input_tensors[0], output, products, real)
