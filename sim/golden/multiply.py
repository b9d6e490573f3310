"""Golden model of MUL of two tensors (``mul.cc``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.multiply import Multiply

from . import reference_arithmetic as reference
from .kernels import kernel, refuse_fixed


@kernel(Multiply)
def multiply(operator: Multiply, sources: tuple[Tensor, Tensor], output: Tensor, *values: np.ndarray) -> np.ndarray:
    """MUL of two tensors, its multiplier in float32."""
    refuse_fixed(operator)
    left, right = (v.astype(np.int64) - source.zero_point for v, source in zip(values, sources, strict=True))
    scales = [np.float32(source.scale) for source in sources]
    multiplier = reference.Multiplier.of(scales[0] * scales[1] / np.float32(output.scale))
    return reference.requantize(left * right, multiplier, output, operator.activation)
