"""Golden model of PAD."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.pad import Pad

from .kernels import kernel


@kernel(Pad)
def pad(operator: Pad, sources: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """PAD with the zero point."""
    p = operator.padding
    amounts = ((0, 0), (p.top, p.bottom), (p.left, p.right), operator.channels)
    return np.pad(values, amounts, constant_values=sources[0].zero_point)
