"""Golden model of ADD of two tensors (``add.cc``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.add import Add

from . import fixed_arithmetic as fixed
from .kernels import kernel
from .scaled_sum import scaled_sum


@kernel(Add)
def add(operator: Add, input_tensors: tuple[Tensor, Tensor], output: Tensor, *values: np.ndarray) -> np.ndarray:
    """ADD of two tensors."""
    if operator.numbers == "fixed":
        exponents = [fixed.tensor_exponent(input_tensor) for input_tensor in input_tensors]
        finest = min(exponents)
        total = sum(v.astype(np.int64) << (e - finest) for v, e in zip(values, exponents, strict=True))
        return fixed.requantize(total, fixed.tensor_exponent(output) - finest, output, operator.activation)
    quantizations = tuple((input_tensor.scale, input_tensor.zero_point) for input_tensor in input_tensors)
    return scaled_sum(values, quantizations, (1, 1), output, operator.activation)
