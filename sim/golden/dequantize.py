"""Golden model of DEQUANTIZE (``dequantize.h``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.dequantize import Dequantize

from .kernels import kernel


@kernel(Dequantize)
def dequantize(operator: Dequantize, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """DEQUANTIZE: float32, whatever element the graph gives to the output."""
    return (input_tensors[0].scale * (values.astype(np.float64) - input_tensors[0].zero_point)).astype(np.float32)
