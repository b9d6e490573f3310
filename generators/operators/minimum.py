"""MINIMUM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Graph, Operator, Padding, Tensor
from ..graph.lowering import Circuit, elementwise
from ..graph.number_checks import broadcast_problems
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class Minimum(Operator):
    """MINIMUM of two computed tensors, of which one may be repeated over the other: of the integers as they are."""

    KIND: ClassVar[str] = "MINIMUM"
    BECOMES: ClassVar[str] = "`extremum`, either of them repeated over the other"
    INPUTS: ClassVar[int | None] = 2

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        return elementwise("extremum", self, graph)

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        return broadcast_problems(sources, output)


def _read(reader: Reader) -> Minimum:
    reader.check_inputs(2, 2)
    return Minimum(**reader.common(reader.computed(0), reader.computed(1)))


TFLITE = (TfliteForm("MINIMUM", "MaximumMinimumOptions", _read),)
