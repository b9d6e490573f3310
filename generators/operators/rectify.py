"""RELU and RELU6 standing alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Activation, Operator, Tensor
from ..graph.number_checks import scaling_problems, shape_problems
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class Rectify(Operator):
    """RELU or RELU6 standing alone."""

    KIND: ClassVar[str] = "RELU or RELU6"
    activation: Activation = Activation.RELU

    @property
    def kind(self) -> str:
        return self.activation.name

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        problems = shape_problems(output, sources[0].shape, "its input's shape")
        return problems + scaling_problems(255, sources[0].scale / output.scale)


def _read(reader: Reader) -> Rectify:
    reader.check_inputs(1, 1)
    return Rectify(**reader.common(reader.computed()), activation=Activation[reader.operator.code])


TFLITE = (TfliteForm("RELU", "", _read), TfliteForm("RELU6", "", _read))
