"""SUB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Activation, Graph, Operator, Padding, Tensor
from ..graph.lowering import Circuit, elementwise
from ..graph.number_checks import broadcast_problems, sum_problems
from ..readers.tflite_reader import Reader, TfliteForm
from .constant_arithmetic import ConstantArithmetic, read_constant_arithmetic


@dataclass(frozen=True, eq=False)
class Subtract(Operator):
    """SUB of two computed tensors: the second is taken from the first; either may be repeated over the other."""

    KIND: ClassVar[str] = "SUB"
    BECOMES: ClassVar[str] = "`add`, either of them repeated over the other"
    INPUTS: ClassVar[int | None] = 2
    activation: Activation = Activation.NONE

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        return elementwise("add", self, graph)

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        return broadcast_problems(input_tensors, output) or sum_problems(
            (input_tensors[0].scale, input_tensors[1].scale), output
        )


def _read(reader: Reader) -> Subtract | ConstantArithmetic:
    if reader.any_constant():
        return read_constant_arithmetic(reader)
    return Subtract(**reader.common(reader.computed(0), reader.computed(1)), activation=reader.activation())


TFLITE = (TfliteForm("SUB", "SubOptions", _read),)
