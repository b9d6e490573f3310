"""Golden model of DEQUANTIZE (``dequantize.h``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.dequantize import Dequantize

from .kernels import kernel


@kernel(Dequantize)
def dequantize(operator: Dequantize, sources: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """DEQUANTIZE: float32, whatever element the graph gives to the output."""
    return (sources[0].scale * (values.astype(np.float64) - sources[0].zero_point)).astype(np.float32)
