"""Golden model of TANH (``activations.cc``)."""

from __future__ import annotations

import math

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.tanh import Tanh

from .kernels import kernel, refuse_fixed
from .real_functions import real_function


@kernel(Tanh)
def tanh(operator: Tanh, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """TANH."""
    refuse_fixed(operator)
    return real_function(math.tanh, input_tensors[0], output, values)
