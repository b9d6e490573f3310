"""RELU, RELU6, RELU_N1_TO_1 and RELU_0_TO_1 standing alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..constants.table_arithmetic import scaled_table
from ..graph.graph import Activation, Tensor
from ..graph.table_operator import TableOperator
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class Rectify(TableOperator):
    """RELU, RELU6, RELU_N1_TO_1 or RELU_0_TO_1 standing alone."""

    KIND: ClassVar[str] = "RELU, RELU6, RELU_N1_TO_1 or RELU_0_TO_1"
    BECOMES: ClassVar[str] = "`lookup`"
    activation: Activation = Activation.RELU

    @property
    def kind(self) -> str:
        return self.activation.name

    def tables(self, input_tensor: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        real = np.float32(input_tensor.scale) / np.float32(output.scale)
        return scaled_table(values - input_tensor.zero_point, real, output, self.activation)


def _read(reader: Reader) -> Rectify:
    reader.check_inputs(1, 1)
    return Rectify(**reader.common(reader.computed()), activation=Activation[reader.operator.code])


TFLITE = tuple(TfliteForm(code, "", _read) for code in ("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1"))
