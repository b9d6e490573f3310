"""What MAXIMUM and MINIMUM share: a choice between two computed tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

from .graph import Graph, Operator, Padding, Tensor
from .lowering import Circuit, elementwise
from .number_checks import broadcast_problems

if TYPE_CHECKING:
    from ..readers.tflite_reader import Reader


@dataclass(frozen=True, eq=False)
class ExtremumOperator(Operator):
    """The greater or the smaller of two integers, of which one tensor's may be repeated over the other's."""

    BECOMES: ClassVar[str] = "`extremum`, either of them repeated over the other"
    INPUTS: ClassVar[int | None] = 2

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        return elementwise("extremum", self, graph)

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        return broadcast_problems(input_tensors, output)


Extremum = TypeVar("Extremum", bound=ExtremumOperator)


def read_extremum(reader: Reader, kind: type[Extremum]) -> Extremum:
    """An extremum of a TFLite file: two computed tensors, no options."""
    reader.check_inputs(2, 2)
    return kind(**reader.common(reader.computed(0), reader.computed(1)))
