"""TRANSPOSE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Operator, Placement, Tensor
from ..graph.number_checks import shape_problems
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class Transpose(Operator):
    """TRANSPOSE by ``permutation``; accepted at the input only, where it becomes the port's order."""

    KIND: ClassVar[str] = "TRANSPOSE"
    FIXED_POINT: ClassVar[bool] = True
    PLACEMENT: ClassVar[Placement] = Placement.INPUT
    permutation: tuple[int, ...] = ()

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (source,) = sources
        if sorted(self.permutation) != list(range(len(source.shape))):
            return [f"has permutation {list(self.permutation)} for shape {list(source.shape)}"]
        if self.permutation[0] != 0:
            return [f"moves the batch axis (permutation {list(self.permutation)})"]
        expected = tuple(source.shape[axis] for axis in self.permutation)
        problems = shape_problems(output, expected, f"permutation {list(self.permutation)}")
        if source.quantization != output.quantization:
            problems.append("writes another scale or zero point than it reads; a transposition does not rescale")
        return problems


def _read(reader: Reader) -> Transpose:
    reader.check_inputs(2, 2)
    source = reader.computed()
    permutation = reader.constant(1, "permutation", ("INT32",)).reshape(-1).tolist()
    return Transpose(**reader.common(source), permutation=tuple(permutation))


TFLITE = (TfliteForm("TRANSPOSE", "TransposeOptions", _read),)
