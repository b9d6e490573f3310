"""Golden model of STRIDED_SLICE and SLICE."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.strided_slice import StridedSlice

from .kernels import kernel


@kernel(StridedSlice)
def strided_slice(
    operator: StridedSlice, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray
) -> np.ndarray:
    """STRIDED_SLICE or SLICE."""
    places = np.ix_(*(first + step * np.arange(count) for first, step, count in operator.slices))
    return values[places].reshape(output.shape)
