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

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        if input_tensor.size != output.size:
            return [
                f"turns {input_tensor.size} elements {list(input_tensor.shape)} into {output.size} {list(output.shape)}"
            ]
        return []


def _read(reader: Reader) -> Reshape:
    reader.check_inputs(1, 2)
    input_tensor = reader.computed()
    output = reader.output()
    if reader.input_tensor(1) is not None:
        shape = reader.constant(1, "shape", ("INT32",)).reshape(-1).tolist()
        if len(shape) != len(output.shape) or any(s not in (-1, o) for s, o in zip(shape, output.shape, strict=True)):
            raise Unsupported(f"asks for shape {shape[:8]} and writes {list(output.shape)}")
    return Reshape(**reader.common(input_tensor))


def _read_squeeze(reader: Reader) -> Reshape:
    reader.check_inputs(1, 1)
    input_tensor = reader.computed()
    rank = len(input_tensor.shape)
    axes = {axis % rank for axis in reader.operator.options.get("SqueezeDims", ())}
    axes = axes or {axis for axis in range(rank) if input_tensor.shape[axis] == 1}
    shape = tuple(size for axis, size in enumerate(input_tensor.shape) if axis not in axes)
    return _axes_changed(reader, input_tensor, shape)


def _read_expand_dims(reader: Reader) -> Reshape:
    reader.check_inputs(2, 2)
    input_tensor = reader.computed()
    axes = reader.constant(1, "axis", ("INT32", "INT64")).reshape(-1).tolist()
    rank = len(input_tensor.shape) + 1
    if len(axes) != 1 or not -rank <= axes[0] < rank:
        raise Unsupported(f"adds axes {axes[:8]} to shape {list(input_tensor.shape)}")
    place = axes[0] % rank
    return _axes_changed(reader, input_tensor, (*input_tensor.shape[:place], 1, *input_tensor.shape[place:]))


def _axes_changed(reader: Reader, input_tensor: Tensor, shape: tuple[int, ...]) -> Reshape:
    output = reader.output()
    if output.shape != shape:
        raise Unsupported(f"turns shape {list(input_tensor.shape)} into {list(output.shape)}, not {list(shape)}")
    return Reshape(**reader.common(input_tensor), name=reader.operator.code)


TFLITE = (
    TfliteForm("RESHAPE", "ReshapeOptions", _read),
    TfliteForm("SQUEEZE", "SqueezeOptions", _read_squeeze),
    TfliteForm("EXPAND_DIMS", "ExpandDimsOptions", _read_expand_dims),
)
