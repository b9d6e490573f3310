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

    def reads_whole_map(self, source: Tensor) -> bool:
        return self.over_all_pixels(source)

    def over_all_pixels(self, source: Tensor) -> bool:
        """Whether every pixel is taken together, and every channel left apart."""
        last = len(source.shape) - 1
        return last not in self.axes and all(source.shape[axis] == 1 for axis in range(last) if axis not in self.axes)

    def count(self, source: Tensor) -> int:
        """How many elements make one of the output."""
        return prod(source.shape[axis] for axis in self.axes)

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        self.summed(graph)
        return Circuit("pool")

    def summed(self, graph: Graph) -> Summed:
        """What a circuit sums.

        Raises:
            GraphError: it sums channels, or axes that are not neighbours.
        """
        source, output = graph.tensors[self.inputs[0]], graph.tensors[self.outputs[0]]
        pixel_axes = source.shape[:-1]
        wide = [axis for axis, size in enumerate(pixel_axes) if axis in self.axes and size > 1]
        inside = [axis for axis in range(wide[0], wide[-1]) if axis not in self.axes] if wide else []
        if len(source.shape) - 1 in self.axes or output.channels != source.channels:
            reason = "the mean over channels has none"
        elif any(pixel_axes[axis] > 1 for axis in inside):
            reason = "the mean over axes with others between them has none"
        else:
            times = prod(pixel_axes[: wide[0]]) if wide else prod(pixel_axes)
            return Summed(times, self.count(source))
        raise GraphError(
            f"takes the mean over axes {list(self.axes)} of shape {list(source.shape)}; the mean over rows, columns or "
            f"both has a circuit, {reason}"
        )

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (source,) = sources
        rank = len(source.shape)
        if not self.axes or list(self.axes) != sorted(set(self.axes)) or not 0 <= self.axes[0] <= self.axes[-1] < rank:
            return [f"takes the mean over axes {list(self.axes)} of shape {list(source.shape)}"]
        kept = tuple(1 if axis in self.axes else size for axis, size in enumerate(source.shape))
        left = tuple(size for axis, size in enumerate(source.shape) if axis not in self.axes)
        if output.shape not in (kept, left):
            return shape_problems(output, kept, f"a mean over axes {list(self.axes)}")
        count = self.count(source)
        return scaling_problems(255 * count, source.scale / (output.scale * count))


def _read(reader: Reader) -> Mean:
    reader.check_inputs(2, 2)
    source = reader.computed()
    rank = len(source.shape)
    axes = reader.constant(1, "axes", ("INT32",)).reshape(-1).tolist()
    axes = tuple(sorted({axis + rank if axis < 0 else axis for axis in axes}))
    return Mean(**reader.common(source), axes=axes)


TFLITE = (TfliteForm("MEAN", "ReducerOptions", _read),)
