"""STRIDED_SLICE and SLICE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Graph, Operator, Padding, Placement, Tensor
from ..graph.kept import Kept, kept_raster, whole_beats
from ..graph.lowering import Circuit
from ..graph.number_checks import shape_problems
from ..readers.slices import strided_slices
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported


@dataclass(frozen=True, eq=False)
class StridedSlice(Operator):
    """STRIDED_SLICE or SLICE: of each axis the elements ``first + k · step``, ``count`` of them; ``step`` may be less
    than 0."""

    KIND: ClassVar[str] = "STRIDED_SLICE"
    BECOMES: ClassVar[str] = "`slice`; at the end the host"
    FIXED_POINT: ClassVar[bool] = True
    slices: tuple[tuple[int, int, int], ...] = ()  # first, step, count of each axis
    name: str = "STRIDED_SLICE"  # or SLICE

    @property
    def kind(self) -> str:
        return self.name

    def placement(self, graph: Graph) -> Placement:
        return Placement.HOST if graph.at_end(self) else Placement.CIRCUIT

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        return Circuit("slice", lanes_divide=whole_beats(self.kept(graph, self.outputs[0])[2]))

    def kept(self, graph: Graph, output: int) -> tuple[Kept, Kept, Kept]:
        """Rows, columns and channels of the input's raster that an output is made of."""
        return kept_raster(self.slices, graph.tensors[self.inputs[0]], graph.tensors[output])

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        inside = len(self.slices) == len(input_tensor.shape) and all(
            count > 0 and step and 0 <= first < size and 0 <= first + (count - 1) * step < size
            for (first, step, count), size in zip(self.slices, input_tensor.shape, strict=True)
        )
        if not inside:
            return [f"takes {list(self.slices)} (first, step, count) of shape {list(input_tensor.shape)}"]
        counts = tuple(count for _, _, count in self.slices)
        if [count for count in counts if count > 1] != [size for size in output.shape if size > 1]:
            return shape_problems(output, counts, "its slices")
        return []


def _read_strided(reader: Reader) -> StridedSlice:
    reader.check_inputs(4, 4)
    input_tensor = reader.computed()
    begin, end, strides = (
        reader.constant(place, what, ("INT32",)).reshape(-1).tolist()
        for place, what in ((1, "begin"), (2, "end"), (3, "strides"))
    )
    try:
        slices, _ = strided_slices(input_tensor.shape, begin, end, strides, reader.operator.options)
    except ValueError as error:
        raise Unsupported(str(error)) from None
    return StridedSlice(**reader.common(input_tensor), slices=slices)


def _read_slice(reader: Reader) -> StridedSlice:
    reader.check_inputs(3, 3)
    input_tensor = reader.computed()
    begin, size = (reader.constant(place, what, ("INT32", "INT64")) for place, what in ((1, "begin"), (2, "size")))
    begin, size = begin.reshape(-1).tolist(), size.reshape(-1).tolist()
    if not len(begin) == len(size) == len(input_tensor.shape):
        raise Unsupported(f"takes {size[:8]} elements from {begin[:8]} of shape {list(input_tensor.shape)}")
    slices = tuple(
        (first, 1, whole - first if count == -1 else count)
        for first, count, whole in zip(begin, size, input_tensor.shape, strict=True)
    )
    return StridedSlice(**reader.common(input_tensor), slices=slices, name="SLICE")


TFLITE = (
    TfliteForm("STRIDED_SLICE", "StridedSliceOptions", _read_strided),
    TfliteForm("SLICE", "SliceOptions", _read_slice),
)
