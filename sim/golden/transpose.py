"""Golden model of TRANSPOSE."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.transpose import Transpose

from .kernels import kernel


@kernel(Transpose)
def transpose(operator: Transpose, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """TRANSPOSE by the operator's permutation."""
    return np.ascontiguousarray(values.transpose(operator.permutation))
