"""Golden model of EXP, GELU and LOG (``activations.cc``, ``exp.cc``, ``gelu.h``, ``elementwise.cc``)."""

from __future__ import annotations

import math

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.real_function import RealFunction

from .kernels import kernel, refuse_fixed
from .real_functions import real_function

_FLOAT = np.float32


def _exp(x: float) -> float:
    return math.exp(x) if x < 89 else math.inf


def _log(x: float) -> float:
    """Of 0 or less it is no number, which the kernel's integers have as their least."""
    return math.log(x) if x > 0 else -1e30


def _gelu(x: float) -> float:
    """In float32, step by step."""
    tail = _FLOAT(math.erfc(float(_FLOAT(x) * _FLOAT(-(0.5**0.5)))))
    return float(_FLOAT(0.5) * _FLOAT(x) * tail)


def _gelu_by_tanh(x: float) -> float:
    single = _FLOAT(x)
    cubic = _FLOAT(0.044715) * single * single * single
    inner = float(_FLOAT((2 / math.pi) ** 0.5) * (single + cubic))
    return float(_FLOAT(0.5) * single * (_FLOAT(1) + _FLOAT(math.tanh(inner))))


_FUNCTIONS = {
    "EXP": _exp,
    "GELU": _gelu,
    "GELU by tanh": _gelu_by_tanh,
    "LOG": _log,
}


@kernel(RealFunction)
def real(operator: RealFunction, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray) -> np.ndarray:
    """EXP, GELU or LOG."""
    refuse_fixed(operator)
    return real_function(_FUNCTIONS[operator.function], input_tensors[0], output, values)
