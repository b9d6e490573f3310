"""TANH: the hyperbolic tangent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..constants.table_arithmetic import real_table
from ..graph.graph import Tensor
from ..graph.number_checks import kernel_output_problems
from ..graph.table_operator import TableOperator
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class Tanh(TableOperator):
    """TANH: the hyperbolic tangent, a table of reals in the reference kernel too."""

    KIND: ClassVar[str] = "TANH"
    BECOMES: ClassVar[str] = "`lookup`"

    def tables(self, input_tensor: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        return real_table(values, input_tensor, output, np.tanh)

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        return kernel_output_problems(input_tensors, output, 128, output.element.minimum + 128)


def _read(reader: Reader) -> Tanh:
    reader.check_inputs(1, 1)
    return Tanh(**reader.common(reader.computed()))


TFLITE = (TfliteForm("TANH", "", _read),)
