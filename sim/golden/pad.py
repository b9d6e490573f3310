"""Golden model of PAD."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.pad import Pad

from .kernels import kernel


@kernel(Pad)
def pad(operator: Pad, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """PAD with the zero point."""
    p = operator.padding
    padded = np.full(output.shape, input_tensors[0].zero_point, values.dtype)
    rows, columns = operator.between
    own = padded[
        :,
        p.top : padded.shape[1] - p.bottom : 1 + rows,
        p.left : padded.shape[2] - p.right : 1 + columns,
        operator.channels[0] : padded.shape[3] - operator.channels[1],
    ]
    own[:] = values
    return padded
