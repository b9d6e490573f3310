"""RESHAPE, SQUEEZE and EXPAND_DIMS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Graph, Operator, Padding, Tensor
from ..graph.lowering import Wire
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported


@dataclass(frozen=True, eq=False)
class Reshape(Operator):
    """RESHAPE, SQUEEZE or EXPAND_DIMS: the same elements in the same order."""

    KIND: ClassVar[str] = "RESHAPE"
    BECOMES: ClassVar[str] = "wiring"
    FIXED_POINT: ClassVar[bool] = True
    name: str = "RESHAPE"  # or another operator that does the same

    @property
    def kind(self) -> str:
        return self.name

    def lower(self, graph: Graph, padding: Padding) -> Wire:
        return Wire()

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


def _read_squeeze(reader: Reader) -> Reshape:
    reader.check_inputs(1, 1)
    source = reader.computed()
    rank = len(source.shape)
    axes = {axis % rank for axis in reader.operator.options.get("SqueezeDims", ())}
    axes = axes or {axis for axis in range(rank) if source.shape[axis] == 1}
    shape = tuple(size for axis, size in enumerate(source.shape) if axis not in axes)
    return _axes_changed(reader, source, shape)


def _read_expand_dims(reader: Reader) -> Reshape:
    reader.check_inputs(2, 2)
    source = reader.computed()
    axes = reader.constant(1, "axis", ("INT32", "INT64")).reshape(-1).tolist()
    rank = len(source.shape) + 1
    if len(axes) != 1 or not -rank <= axes[0] < rank:
        raise Unsupported(f"adds axes {axes[:8]} to shape {list(source.shape)}")
    place = axes[0] % rank
    return _axes_changed(reader, source, (*source.shape[:place], 1, *source.shape[place:]))


def _axes_changed(reader: Reader, source: Tensor, shape: tuple[int, ...]) -> Reshape:
    output = reader.output()
    if output.shape != shape:
        raise Unsupported(f"turns shape {list(source.shape)} into {list(output.shape)}, not {list(shape)}")
    return Reshape(**reader.common(source), name=reader.operator.code)


TFLITE = (
    TfliteForm("RESHAPE", "ReshapeOptions", _read),
    TfliteForm("SQUEEZE", "SqueezeOptions", _read_squeeze),
    TfliteForm("EXPAND_DIMS", "ExpandDimsOptions", _read_expand_dims),
)
