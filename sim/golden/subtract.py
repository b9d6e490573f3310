"""Golden model of SUB of two tensors (``sub.cc``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.subtract import Subtract

from .kernels import kernel, refuse_fixed
from .scaled_sum import scaled_sum


@kernel(Subtract)
def subtract(operator: Subtract, sources: tuple[Tensor, Tensor], output: Tensor, *values: np.ndarray) -> np.ndarray:
    """SUB of two tensors."""
    refuse_fixed(operator)
    quantizations = tuple((source.scale, source.zero_point) for source in sources)
    return scaled_sum(values, quantizations, (1, -1), output, operator.activation)
