"""MEAN."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from ..graph.graph import Graph, GraphError, Operator, Padding, Tensor
from ..graph.lowering import Circuit, Summed
from ..graph.number_checks import scaling_problems, shape_problems
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class Mean(Operator):
    """MEAN over some axes, in ascending order: over height and width of a map where none are given."""

    KIND: ClassVar[str] = "MEAN"
    BECOMES: ClassVar[str] = "`pool`, over rows, columns or both"
    axes: tuple[int, ...] = (1, 2)

    def reads_whole_map(self, input_tensor: Tensor) -> bool:
        return self.over_all_pixels(input_tensor)

    def over_all_pixels(self, input_tensor: Tensor) -> bool:
        """Whether every pixel is taken together, and every channel left apart."""
        last = len(input_tensor.shape) - 1
        return last not in self.axes and all(
            input_tensor.shape[axis] == 1 for axis in range(last) if axis not in self.axes
        )

    def count(self, input_tensor: Tensor) -> int:
        """How many elements make one of the output."""
        return prod(input_tensor.shape[axis] for axis in self.axes)

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        self.summed(graph)
        return Circuit("pool")

    def summed(self, graph: Graph) -> Summed:
        """What a circuit sums.

        Raises:
            GraphError: it sums channels, or axes that are not neighbours.
        """
        input_tensor, output = graph.tensors[self.inputs[0]], graph.tensors[self.outputs[0]]
        pixel_axes = input_tensor.shape[:-1]
        wide = [axis for axis, size in enumerate(pixel_axes) if axis in self.axes and size > 1]
        inside = [axis for axis in range(wide[0], wide[-1]) if axis not in self.axes] if wide else []
        if len(input_tensor.shape) - 1 in self.axes or output.channels != input_tensor.channels:
            reason = "the mean over channels has none"
        elif any(pixel_axes[axis] > 1 for axis in inside):
            reason = "the mean over axes with others between them has none"
        else:
            times = prod(pixel_axes[: wide[0]]) if wide else prod(pixel_axes)
            return Summed(times, self.count(input_tensor))
        raise GraphError(
            f"takes the mean over axes {list(self.axes)} of shape {list(input_tensor.shape)}; the mean over "
            f"rows, columns or both has a circuit, {reason}"
        )

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        rank = len(input_tensor.shape)
        if not self.axes or list(self.axes) != sorted(set(self.axes)) or not 0 <= self.axes[0] <= self.axes[-1] < rank:
            return [f"takes the mean over axes {list(self.axes)} of shape {list(input_tensor.shape)}"]
        kept = tuple(1 if axis in self.axes else size for axis, size in enumerate(input_tensor.shape))
        left = tuple(size for axis, size in enumerate(input_tensor.shape) if axis not in self.axes)
        if output.shape not in (kept, left):
            return shape_problems(output, kept, f"a mean over axes {list(self.axes)}")
        count = self.count(input_tensor)
        return scaling_problems(255 * count, input_tensor.scale / (output.scale * count))


def _read(reader: Reader) -> Mean:
    reader.check_inputs(2, 2)
    input_tensor = reader.computed()
    rank = len(input_tensor.shape)
    axes = reader.constant(1, "axes", ("INT32",)).reshape(-1).tolist()
    axes = tuple(sorted({axis + rank if axis < 0 else axis for axis in axes}))
    return Mean(**reader.common(input_tensor), axes=axes)


TFLITE = (TfliteForm("MEAN", "ReducerOptions", _read),)
