"""SPLIT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Graph, Operator, Padding, Placement, Tensor
from ..graph.kept import Kept, kept_raster, whole_beats
from ..graph.lowering import Circuit
from ..graph.number_checks import equal_quantization_problems, shape_problems
from ..readers.tflite_reader import Reader, TfliteForm, Unsupported


@dataclass(frozen=True, eq=False)
class Split(Operator):
    """SPLIT along ``axis`` (0 or more) into as many equal parts as it writes."""

    KIND: ClassVar[str] = "SPLIT"
    BECOMES: ClassVar[str] = "`slice`, one for each part; at the end the host"
    OUTPUTS: ClassVar[int | None] = None
    FIXED_POINT: ClassVar[bool] = True
    axis: int = 0

    def placement(self, graph: Graph) -> Placement:
        return Placement.HOST if graph.at_end(self) else Placement.CIRCUIT

    def lower(self, graph: Graph, padding: Padding) -> tuple[Circuit, ...]:
        kept = [self.kept(graph, output)[2] for output in self.outputs]
        return tuple(Circuit("slice", lanes_divide=whole_beats(channels)) for channels in kept)

    def kept(self, graph: Graph, output: int) -> tuple[Kept, Kept, Kept]:
        """Rows, columns and channels of the input's raster that an output is made of."""
        input_tensor = graph.tensors[self.inputs[0]]
        part = input_tensor.shape[self.axis] // len(self.outputs)
        slices = [(0, 1, size) for size in input_tensor.shape]
        slices[self.axis] = (self.outputs.index(output) * part, 1, part)
        return kept_raster(slices, input_tensor, graph.tensors[output])

    def problems(self, input_tensors: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> list[str]:
        (input_tensor,) = input_tensors
        if not 0 <= self.axis < len(input_tensor.shape) or input_tensor.shape[self.axis] % len(output):
            return [f"makes {len(output)} parts of shape {list(input_tensor.shape)} along axis {self.axis}"]
        shape = list(input_tensor.shape)
        shape[self.axis] //= len(output)
        return [
            problem
            for part in output
            for problem in shape_problems(part, tuple(shape), f"{len(output)} parts")
            + equal_quantization_problems(input_tensors, part)
        ]


def _read(reader: Reader) -> Split:
    reader.check_inputs(2, 2)
    input_tensor = reader.computed(1)
    axis = reader.constant(0, "axis", ("INT32",)).reshape(-1)
    if axis.size != 1:
        raise Unsupported(f"has {axis.size} axes; one is supported")
    outputs = tuple(reader.tensors.computed(index).index for index in reader.operator.outputs)
    place = int(axis[0])
    return Split(
        reader.operator.index,
        (input_tensor.index,),
        outputs,
        axis=place + len(input_tensor.shape) if place < 0 else place,
    )


TFLITE = (TfliteForm("SPLIT", "SplitOptions", _read),)
