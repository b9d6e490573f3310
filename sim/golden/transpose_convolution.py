"""Golden model of TRANSPOSE_CONV."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.transpose_convolution import TransposeConvolution

from .convolution import convolution
from .kernels import kernel


@kernel(TransposeConvolution)
def transpose_convolution(
    operator: TransposeConvolution, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray
) -> np.ndarray:
    """TRANSPOSE_CONV, over the map that a PAD has spread: a convolution."""
    return convolution(operator, input_tensors, output, values)
