"""Golden model of LOGISTIC (``activations.cc``)."""

from __future__ import annotations

import math

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.logistic import Logistic

from .kernels import kernel, refuse_fixed
from .real_functions import real_function


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


@kernel(Logistic)
def logistic(operator: Logistic, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """LOGISTIC."""
    refuse_fixed(operator)
    return real_function(_sigmoid, input_tensors[0], output, values)
