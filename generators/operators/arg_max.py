"""ARG_MAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import INT32, INT64, Element, Graph, Operator, Placement, Tensor
from ..graph.number_checks import shape_problems
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported


@dataclass(frozen=True, eq=False)
class ArgMax(Operator):
    """ARG_MAX along ``axis`` (0 or more): the place of the greatest element, the first of equals; the host's."""

    KIND: ClassVar[str] = "ARG_MAX"
    BECOMES: ClassVar[str] = "the host"
    WRITES: ClassVar[tuple[Element, ...]] = (INT32, INT64)
    axis: int = 0

    def placement(self, graph: Graph) -> Placement:
        return Placement.HOST

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        shape = input_tensors[0].shape
        if not 0 <= self.axis < len(shape):
            return [f"seeks along axis {self.axis} of shape {list(shape)}"]
        return shape_problems(output, (*shape[: self.axis], *shape[self.axis + 1 :]), f"the greatest along {self.axis}")


def _read(reader: Reader) -> ArgMax:
    reader.check_inputs(2, 2)
    input_tensor = reader.computed()
    axes = reader.constant(1, "axis", ("INT32", "INT64")).reshape(-1).tolist()
    if len(axes) != 1:
        raise Unsupported(f"seeks along axes {axes[:8]}; one is expected")
    output = reader.tensors.index(reader.output_index())
    axis = axes[0] + len(input_tensor.shape) if axes[0] < 0 else axes[0]
    return ArgMax(reader.operator.index, (input_tensor.index,), (output.index,), axis=axis)


TFLITE = (TfliteForm("ARG_MAX", "ArgMaxOptions", _read),)
