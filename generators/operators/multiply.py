"""MUL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Activation, Graph, Operator, Padding, Tensor
from ..graph.lowering import Circuit, elementwise
from ..graph.number_checks import broadcast_problems, scaling_problems
from ..readers.tflite_reader import Reader, TfliteForm
from .constant_arithmetic import ConstantArithmetic, read_constant_arithmetic


@dataclass(frozen=True, eq=False)
class Multiply(Operator):
    """MUL of two computed tensors: a map by a vector of each frame (squeeze-excite), or element by element."""

    KIND: ClassVar[str] = "MUL"
    BECOMES: ClassVar[str] = "`multiply`, either of them repeated over the other"
    INPUTS: ClassVar[int | None] = 2
    activation: Activation = Activation.NONE

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        return elementwise("multiply", self, graph)

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        return broadcast_problems(input_tensors, output) or scaling_problems(
            255 * 255, input_tensors[0].scale * input_tensors[1].scale / output.scale
        )


def _read(reader: Reader) -> Multiply | ConstantArithmetic:
    if reader.any_constant():
        return read_constant_arithmetic(reader)
    return Multiply(**reader.common(reader.computed(0), reader.computed(1)), activation=reader.activation())


TFLITE = (TfliteForm("MUL", "MulOptions", _read),)
