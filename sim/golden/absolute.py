"""Golden model of ABS (``elementwise.cc``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Activation, Tensor
from mbconv.generators.operators.absolute import Absolute

from . import reference_arithmetic as reference
from .kernels import kernel, refuse_fixed


@kernel(Absolute)
def absolute(operator: Absolute, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """ABS: rescaled as it is, without its sign."""
    refuse_fixed(operator)
    multiplier = reference.Multiplier.of(np.float32(input_tensors[0].scale) / np.float32(output.scale))
    distance = np.abs(values.astype(np.int64) - input_tensors[0].zero_point)
    return reference.requantize(distance, multiplier, output, Activation.NONE)
