"""Golden model of MAXIMUM (``maximum_minimum.h``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.maximum import Maximum

from .kernels import kernel, refuse_fixed


@kernel(Maximum)
def maximum(operator: Maximum, input_tensors: tuple[Tensor, Tensor], output: Tensor, *values: np.ndarray) -> np.ndarray:
    """MAXIMUM of the integers as they are: the kernel does not look at scales."""
    refuse_fixed(operator)
    return np.maximum(*values)
