"""Golden model of MINIMUM (``maximum_minimum.h``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.minimum import Minimum

from .kernels import kernel, refuse_fixed


@kernel(Minimum)
def minimum(operator: Minimum, input_tensors: tuple[Tensor, Tensor], output: Tensor, *values: np.ndarray) -> np.ndarray:
    """MINIMUM of the integers as they are: the kernel does not look at scales."""
    refuse_fixed(operator)
    return np.minimum(*values)
