"""TANH: the hyperbolic tangent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..constants.table_arithmetic import real_table
from ..graph.graph import Tensor
from ..graph.number_checks import shape_problems
from ..graph.table_operator import TableOperator
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class Tanh(TableOperator):
    """TANH: the hyperbolic tangent, a table of reals in the reference kernel too."""

    KIND: ClassVar[str] = "TANH"
    BECOMES: ClassVar[str] = "`lookup`"

    def tables(self, source: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        return real_table(values, source, output, np.tanh)

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        problems = shape_problems(output, sources[0].shape, "its input's shape")
        # The reference kernel's own condition.
        zero_point = output.element.minimum + 128
        if output.scale != 1 / 128 or output.zero_point != zero_point:
            problems.append(
                f"writes scale {output.scale} and zero point {output.zero_point}; its kernel writes scale 1/128 and "
                f"zero point {zero_point}"
            )
        return problems


def _read(reader: Reader) -> Tanh:
    reader.check_inputs(1, 1)
    return Tanh(**reader.common(reader.computed()))


TFLITE = (TfliteForm("TANH", "", _read),)
