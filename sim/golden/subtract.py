"""Golden model of SUB of two tensors (``sub.cc``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.subtract import Subtract

from .kernels import kernel, refuse_fixed
from .scaled_sum import scaled_sum


@kernel(Subtract)
def subtract(
    operator: Subtract, input_tensors: tuple[Tensor, Tensor], output: Tensor, *values: np.ndarray
) -> np.ndarray:
    """SUB of two tensors."""
    refuse_fixed(operator)
    quantizations = tuple((input_tensor.scale, input_tensor.zero_point) for input_tensor in input_tensors)
    return scaled_sum(values, quantizations, (1, -1), output, operator.activation)
