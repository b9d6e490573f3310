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

    def tables(self, source: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        real = np.float32(source.scale) / np.float32(output.scale)
        return scaled_table(np.abs(values - source.zero_point), real, output, Activation.NONE)


def _read(reader: Reader) -> Absolute:
    reader.check_inputs(1, 1)
    source = reader.computed()
    if not source.element.signed:
        raise Unsupported(f"reads {source.element}; its kernel reads int8")
    return Absolute(**reader.common(source))


TFLITE = (TfliteForm("ABS", "", _read),)
