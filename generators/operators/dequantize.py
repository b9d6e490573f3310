"""DEQUANTIZE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import FLOAT32, Element, Graph, Operator, Placement, Tensor
from ..graph.number_checks import shape_problems
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class Dequantize(Operator):
    """DEQUANTIZE at the output: real numbers, computed by the host."""

    KIND: ClassVar[str] = "DEQUANTIZE"
    BECOMES: ClassVar[str] = "the host"
    WRITES: ClassVar[tuple[Element, ...]] = (FLOAT32,)

    def placement(self, graph: Graph) -> Placement:
        return Placement.HOST

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        return shape_problems(output, input_tensors[0].shape, "its input's shape")


def _read(reader: Reader) -> Dequantize:
    reader.check_inputs(1, 1)
    input_tensor = reader.computed()
    output = reader.tensors.real(reader.output_index())
    return Dequantize(reader.operator.index, (input_tensor.index,), (output.index,))


TFLITE = (TfliteForm("DEQUANTIZE", "DequantizeOptions", _read),)
