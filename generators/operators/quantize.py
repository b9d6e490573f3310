"""QUANTIZE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..constants.table_arithmetic import scaled_table
from ..graph.graph import Activation, Tensor
from ..graph.table_operator import TableOperator
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class Quantize(TableOperator):
    """QUANTIZE of one integer type and scale to another."""

    KIND: ClassVar[str] = "QUANTIZE"
    BECOMES: ClassVar[str] = "`lookup`"
    MIXES_ELEMENTS: ClassVar[bool] = True

    def tables(self, input_tensor: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        return scaled_table(
            values - input_tensor.zero_point, input_tensor.scale / output.scale, output, Activation.NONE
        )


def _read(reader: Reader) -> Quantize:
    reader.check_inputs(1, 1)
    return Quantize(**reader.common(reader.computed()))


TFLITE = (TfliteForm("QUANTIZE", "QuantizeOptions", _read),)
