"""Golden model of RELU and RELU6 standing alone (``activations.cc``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.rectify import Rectify

from . import reference_arithmetic as reference
from .kernels import kernel, refuse_fixed


@kernel(Rectify)
def rectify(operator: Rectify, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """RELU or RELU6 standing alone."""
    refuse_fixed(operator)
    multiplier = reference.Multiplier.of(np.float32(input_tensors[0].scale) / np.float32(output.scale))
    centred = values.astype(np.int64) - input_tensors[0].zero_point
    return reference.requantize(centred, multiplier, output, operator.activation)
