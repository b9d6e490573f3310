"""Golden model of SPLIT."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.split import Split

from .kernels import kernel


@kernel(Split)
def split(
    operator: Split, input_tensors: tuple[Tensor], output: tuple[Tensor, ...], values: np.ndarray
) -> tuple[np.ndarray, ...]:
    """SPLIT: equal parts in their order."""
    return tuple(np.split(values, len(output), operator.axis))
