"""Golden model of RESHAPE."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.reshape import Reshape

from .kernels import kernel


@kernel(Reshape)
def reshape(operator: Reshape, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """RESHAPE: the same elements in the same order."""
    return values.reshape(output.shape)
