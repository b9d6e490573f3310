"""LOGISTIC: 1 ÷ (1 + e^−x)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..constants.table_arithmetic import real_table
from ..graph.graph import Graph, Placement, Tensor
from ..graph.number_checks import kernel_output_problems
from ..graph.table_operator import TableOperator
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class Logistic(TableOperator):
    """LOGISTIC: 1 ÷ (1 + e^−x), a table of reals in the reference kernel too."""

    KIND: ClassVar[str] = "LOGISTIC"
    BECOMES: ClassVar[str] = "`lookup`; at the end the host"

    def placement(self, graph: Graph) -> Placement:
        # As with SOFTMAX, what is wanted of a circuit is the greatest of its inputs.
        return Placement.HOST if graph.at_end(self) else Placement.CIRCUIT

    def tables(self, input_tensor: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        return real_table(values, input_tensor, output, lambda x: 1 / (1 + np.exp(-x)))

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        return kernel_output_problems(input_tensors, output, 256, output.element.minimum)


def _read(reader: Reader) -> Logistic:
    reader.check_inputs(1, 1)
    return Logistic(**reader.common(reader.computed()))


TFLITE = (TfliteForm("LOGISTIC", "", _read),)
