"""TRANSPOSE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..graph.graph import Graph, GraphError, Padding, Placement, Tensor
from ..graph.lowering import PortOrder, Wire
from ..graph.number_checks import shape_problems
from ..graph.table_operator import TableOperator
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class Transpose(TableOperator):
    """TRANSPOSE by ``permutation``: at an input the order of its port, at the end the host's.

    One that moves only axes of size 1 leaves the elements in their order, wherever it stands: wires, or where it groups
    them into other pixels, as RESHAPE may, a table that changes nothing.
    """

    KIND: ClassVar[str] = "TRANSPOSE"
    BECOMES: ClassVar[str] = (
        "wiring at an input (the order of its port) and where only axes of size 1 move; at the end the host"
    )
    FIXED_POINT: ClassVar[bool] = True
    HOST_ADVICE: ClassVar[str] = ", or at an input: export the model channel-last (NHWC)"
    permutation: tuple[int, ...] = ()

    def keeps_order(self, input_tensor: Tensor) -> bool:
        """Whether the elements' order is the same before and behind it."""
        moved = [axis for axis in self.permutation if input_tensor.shape[axis] > 1]
        return moved == sorted(moved)

    def placement(self, graph: Graph) -> Placement:
        if self.keeps_order(graph.tensors[self.inputs[0]]):
            return Placement.CIRCUIT
        return Placement.PORT if self.inputs[0] in graph.inputs else Placement.HOST

    def tables(self, input_tensor: Tensor, output: Tensor, values: np.ndarray) -> np.ndarray:
        return values

    def lower(self, graph: Graph, padding: Padding) -> Wire | PortOrder:
        input_tensor = self.inputs[0]
        if self.keeps_order(graph.tensors[input_tensor]):
            return Wire()
        if len(graph.consumers(input_tensor)) > 1:
            raise GraphError("turns an input that is also read as it is; it has no single order")
        return PortOrder()

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        if sorted(self.permutation) != list(range(len(input_tensor.shape))):
            return [f"has permutation {list(self.permutation)} for shape {list(input_tensor.shape)}"]
        expected = tuple(input_tensor.shape[axis] for axis in self.permutation)
        problems = shape_problems(output, expected, f"permutation {list(self.permutation)}")
        if input_tensor.quantization != output.quantization:
            problems.append("writes another scale or zero point than it reads; a transposition does not rescale")
        return problems


def _read(reader: Reader) -> Transpose:
    reader.check_inputs(2, 2)
    input_tensor = reader.computed()
    permutation = reader.constant(1, "permutation", ("INT32",)).reshape(-1).tolist()
    return Transpose(**reader.common(input_tensor), permutation=tuple(permutation))


TFLITE = (TfliteForm("TRANSPOSE", "TransposeOptions", _read),)
