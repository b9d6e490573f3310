"""SOFTMAX."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Graph, Operator, Placement, Tensor
from ..graph.number_checks import kernel_output_problems
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class Softmax(Operator):
    """SOFTMAX over the last axis, computed by the host."""

    KIND: ClassVar[str] = "SOFTMAX"
    BECOMES: ClassVar[str] = "the host"
    beta: float = 1.0

    def placement(self, graph: Graph) -> Placement:
        return Placement.HOST

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        problems = kernel_output_problems(input_tensors, output, 256, output.element.minimum)
        if not (math.isfinite(self.beta) and self.beta > 0):
            problems.append(f"has beta {self.beta}; a positive finite number is needed")
        return problems


def _read(reader: Reader) -> Softmax:
    reader.check_inputs(1, 1)
    return Softmax(**reader.common(reader.computed()), beta=float(reader.option("Beta")))


TFLITE = (TfliteForm("SOFTMAX", "SoftmaxOptions", _read),)
