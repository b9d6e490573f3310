"""QUANTIZE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Operator, Placement, Tensor
from ..graph.number_checks import scaling_problems, shape_problems
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class Quantize(Operator):
    """QUANTIZE of one integer type and scale to another."""

    KIND: ClassVar[str] = "QUANTIZE"
    MIXES_ELEMENTS: ClassVar[bool] = True
    PLACEMENT: ClassVar[Placement] = Placement.ANYWHERE_OR_HOST

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        problems = shape_problems(output, sources[0].shape, "its input's shape")
        return problems + scaling_problems(255, sources[0].scale / output.scale)


def _read(reader: Reader) -> Quantize:
    reader.check_inputs(1, 1)
    return Quantize(**reader.common(reader.computed()))


TFLITE = (TfliteForm("QUANTIZE", "QuantizeOptions", _read),)
