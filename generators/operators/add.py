"""ADD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Activation, Graph, Operator, Padding, Tensor
from ..graph.lowering import Circuit, elementwise
from ..graph.number_checks import activation_problems, broadcast_problems, sum_problems
from ..readers.tflite_reader import Reader, TfliteForm
from .constant_arithmetic import ConstantArithmetic, read_constant_arithmetic


@dataclass(frozen=True, eq=False)
class Add(Operator):
    """ADD of two computed tensors: of equal shape, the residual's join, or of which one is repeated over the other."""

    KIND: ClassVar[str] = "ADD"
    BECOMES: ClassVar[str] = "`add`, either of them repeated over the other"
    INPUTS: ClassVar[int] = 2
    FIXED_POINT: ClassVar[bool] = True
    activation: Activation = Activation.NONE

    def closes_block(self, graph: Graph) -> bool:
        return len({graph.tensors[tensor].shape for tensor in self.inputs}) == 1

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        return elementwise("add", self, graph)

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        problems = broadcast_problems(input_tensors, output)
        if self.numbers == "fixed":
            if output.scale < min(s.scale for s in input_tensors):
                problems.append(f"writes scale {output.scale}, finer than both of its inputs'")
            scales = [t.scale for t in (*input_tensors, output)]
            if max(scales) / min(scales) > 2**15:
                problems.append(f"has scales {scales} that differ by more than 2^15")
            return problems + activation_problems(self.numbers, self.activation, output)
        return problems + sum_problems((input_tensors[0].scale, input_tensors[1].scale), output)


def _read(reader: Reader) -> Add | ConstantArithmetic:
    if reader.any_constant():
        return read_constant_arithmetic(reader)
    return Add(**reader.common(reader.computed(0), reader.computed(1)), activation=reader.activation())


TFLITE = (TfliteForm("ADD", "AddOptions", _read),)
