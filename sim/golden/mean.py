"""Golden model of MEAN (``reduce.cc``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.mean import Mean

from . import reference_arithmetic as reference
from .kernels import kernel, refuse_fixed


@kernel(Mean)
def mean(operator: Mean, sources: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """MEAN over some axes: one scaling whose multiplier contains the division."""
    refuse_fixed(operator)
    source = sources[0]
    count = operator.count(source)
    sums = values.sum(axis=operator.axes, dtype=np.int64) - count * source.zero_point
    multiplier = reference.Multiplier.of(source.scale / output.scale).divided(count)
    return reference.requantize(sums, multiplier, output).reshape(output.shape)
