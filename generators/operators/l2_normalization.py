"""L2_NORMALIZATION."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Graph, Operator, Placement, Tensor
from ..graph.number_checks import kernel_output_problems
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported

_MOST = ((1 << 31) - 1) // 255**2


@dataclass(frozen=True, eq=False)
class L2Normalization(Operator):
    """L2_NORMALIZATION over the last axis: every vector of length 1, computed by the host."""

    KIND: ClassVar[str] = "L2_NORMALIZATION"
    BECOMES: ClassVar[str] = "the host"

    def placement(self, graph: Graph) -> Placement:
        return Placement.HOST

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        problems = kernel_output_problems(input_tensors, output, 128, output.element.minimum + 128)
        if input_tensors[0].shape[-1] > _MOST:
            problems.append(
                f"sums the squares of {input_tensors[0].shape[-1]} channels, at most {_MOST} of which have 32 bits"
            )
        return problems


def _read(reader: Reader) -> L2Normalization:
    reader.check_inputs(1, 1)
    if reader.option("FusedActivationFunction"):
        raise Unsupported("has a fused activation, which its kernel has not")
    return L2Normalization(**reader.common(reader.computed()))


TFLITE = (TfliteForm("L2_NORMALIZATION", "L2NormOptions", _read),)
