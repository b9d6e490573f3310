"""Golden model of MUL of two tensors (``mul.cc``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.multiply import Multiply

from . import reference_arithmetic as reference
from .kernels import kernel, refuse_fixed


@kernel(Multiply)
def multiply(
    operator: Multiply, input_tensors: tuple[Tensor, Tensor], output: Tensor, *values: np.ndarray
) -> np.ndarray:
    """MUL of two tensors, its multiplier in float32."""
    refuse_fixed(operator)
    left, right = (
        v.astype(np.int64) - input_tensor.zero_point for v, input_tensor in zip(values, input_tensors, strict=True)
    )
    scales = [np.float32(input_tensor.scale) for input_tensor in input_tensors]
    multiplier = reference.Multiplier.of(scales[0] * scales[1] / np.float32(output.scale))
    return reference.requantize(left * right, multiplier, output, operator.activation)
