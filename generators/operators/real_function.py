"""EXP, GELU and LOG: real functions of one element."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..constants.table_arithmetic import real_table
from ..graph.graph import Tensor
from ..graph.number_checks import shape_problems
from ..graph.table_operator import TableOperator
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported

_MOST, _MOST_STEPS = 88, 2.0**30
"""The greatest exponent that float32 holds the power of, and the greatest result that its kernel's integers hold."""

_BELOW_ALL = -1e30
"""Less than every output: what the kernel's logarithm of 0 or less comes to."""

_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def _gelu(real: np.ndarray) -> np.ndarray:
    x = real.astype(np.float32)
    tail = _erfc((x * np.float32(-math.sqrt(0.5))).astype(np.float64)).astype(np.float32)
    return np.float32(0.5) * x * tail


def _gelu_by_tanh(real: np.ndarray) -> np.ndarray:
    x, half = real.astype(np.float32), np.float32(0.5)
    inner = np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x)
    return half * x * (np.float32(1) + np.tanh(inner.astype(np.float64)).astype(np.float32))


def _log(real: np.ndarray) -> np.ndarray:
    return np.where(real > 0, np.log(np.where(real > 0, real, 1)), _BELOW_ALL)


_FUNCTIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "EXP": np.exp,
    "GELU": _gelu,
    "GELU by tanh": _gelu_by_tanh,
    "LOG": _log,
}


@dataclass(frozen=True, eq=False)
class RealFunction(TableOperator):
    """EXP, LOG, or GELU, exact or by a hyperbolic tangent: a table of reals in the reference kernel too."""

    KIND: ClassVar[str] = "EXP, LOG or GELU"
    BECOMES: ClassVar[str] = "`lookup`"
    function: str = "EXP"

    @property
    def kind(self) -> str:
        return self.function.split()[0]

    def tables(self, input_tensor: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        return real_table(values, input_tensor, output, _FUNCTIONS[self.function])

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        most = input_tensor.scale * (input_tensor.element.maximum - input_tensor.zero_point)
        if self.function == "EXP" and (most > _MOST or math.exp(most) > _MOST_STEPS * output.scale):
            return [
                f"reads {most:.4g} at most, whose exponential is beyond all bounds of its output {output.scale:.4g}"
            ]
        return shape_problems(output, input_tensor.shape, "its input's shape")


def _read(reader: Reader) -> RealFunction:
    reader.check_inputs(1, 1)
    input_tensor, code = reader.computed(), reader.operator.code
    if not input_tensor.element.signed and code != "GELU":
        raise Unsupported(f"reads {input_tensor.element}; its kernel reads int8")
    by_tanh = code == "GELU" and bool(reader.option("Approximate"))
    return RealFunction(**reader.common(input_tensor), function="GELU by tanh" if by_tanh else code)


TFLITE = (
    TfliteForm("EXP", "", _read),
    TfliteForm("GELU", "GeluOptions", _read),
    TfliteForm("LOG", "", _read),
)
