"""Golden model of MEAN (``reduce.cc``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.mean import Mean

from . import reference_arithmetic as reference
from .kernels import kernel, refuse_fixed


@kernel(Mean)
def mean(operator: Mean, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """MEAN over some axes: one scaling whose multiplier contains the division."""
    refuse_fixed(operator)
    input_tensor = input_tensors[0]
    count = operator.count(input_tensor)
    sums = values.sum(axis=operator.axes, dtype=np.int64) - count * input_tensor.zero_point
    multiplier = reference.Multiplier.of(input_tensor.scale / output.scale).divided(count)
    return reference.requantize(sums, multiplier, output).reshape(output.shape)
