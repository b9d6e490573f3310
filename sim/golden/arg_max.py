"""Golden model of ARG_MAX (``arg_min_max.h``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.arg_max import ArgMax

from .kernels import kernel


@kernel(ArgMax)
def arg_max(operator: ArgMax, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """ARG_MAX: the first of equal elements."""
    return values.argmax(axis=operator.axis).astype(output.element.dtype).reshape(output.shape)
