"""ABS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..constants.table_arithmetic import scaled_table
from ..graph.graph import Activation, Tensor
from ..graph.table_operator import TableOperator
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported


@dataclass(frozen=True, eq=False)
class Absolute(TableOperator):
    """ABS: the distance from zero."""

    KIND: ClassVar[str] = "ABS"
    BECOMES: ClassVar[str] = "`lookup`"

    def tables(self, input_tensor: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        real = np.float32(input_tensor.scale) / np.float32(output.scale)
        return scaled_table(np.abs(values - input_tensor.zero_point), real, output, Activation.NONE)


def _read(reader: Reader) -> Absolute:
    reader.check_inputs(1, 1)
    input_tensor = reader.computed()
    if not input_tensor.element.signed:
        raise Unsupported(f"reads {input_tensor.element}; its kernel reads int8")
    return Absolute(**reader.common(input_tensor))


TFLITE = (TfliteForm("ABS", "", _read),)
