"""Golden model of QUANTIZE (``quantize.cc``, ``requantize.h``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.quantize import Quantize

from . import reference_arithmetic as reference
from .kernels import kernel, refuse_fixed


@kernel(Quantize)
def quantize(operator: Quantize, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """QUANTIZE of integers."""
    refuse_fixed(operator)
    multiplier = reference.Multiplier.of(input_tensors[0].scale / output.scale)
    return reference.requantize(values.astype(np.int64) - input_tensors[0].zero_point, multiplier, output)
