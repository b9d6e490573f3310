"""RESHAPE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Operator, Placement, Tensor
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported


@dataclass(frozen=True, eq=False)
class Reshape(Operator):
    """RESHAPE: the same elements in the same order."""

    KIND: ClassVar[str] = "RESHAPE"
    FIXED_POINT: ClassVar[bool] = True
    PLACEMENT: ClassVar[Placement] = Placement.ANYWHERE_OR_HOST

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (source,) = sources
        if source.size != output.size:
            return [f"turns {source.size} elements {list(source.shape)} into {output.size} {list(output.shape)}"]
        return []


def _read(reader: Reader) -> Reshape:
    reader.check_inputs(1, 2)
    source = reader.computed()
    output = reader.output()
    if reader.source(1) is not None:
        shape = reader.constant(1, "shape", ("INT32",)).reshape(-1).tolist()
        if len(shape) != len(output.shape) or any(s not in (-1, o) for s, o in zip(shape, output.shape, strict=True)):
            raise Unsupported(f"asks for shape {shape[:8]} and writes {list(output.shape)}")
    return Reshape(**reader.common(source))


TFLITE = (TfliteForm("RESHAPE", "ReshapeOptions", _read),)
