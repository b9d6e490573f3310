"""RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Graph, GraphError, Operator, Padding, Tensor
from ..graph.lowering import Circuit
from ..readers.resize_options import read_resize, resize_problems
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class ResizeNearest(Operator):
    """RESIZE_NEAREST_NEIGHBOR of a map to its output's height and width."""

    KIND: ClassVar[str] = "RESIZE_NEAREST_NEIGHBOR"
    BECOMES: ClassVar[str] = "`resize_nearest`, by whole factors"
    align_corners: bool = False
    half_pixel_centers: bool = False

    def lower(self, graph: Graph, padding: Padding) -> Circuit:
        source, output = graph.tensors[self.inputs[0]], graph.tensors[self.outputs[0]]
        larger = output.height % source.height == output.width % source.width == 0
        moved = self.align_corners and (output.height, output.width) != (source.height, source.width)
        if not larger or moved:
            raise GraphError(
                f"makes {output.height}×{output.width} of {source.height}×{source.width}"
                f"{' with aligned corners' if self.align_corners else ''}; enlarging by whole factors without aligned "
                "corners has a circuit"
            )
        return Circuit("resize_nearest")

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        return resize_problems(sources[0], output, self.align_corners and self.half_pixel_centers)


def _read(reader: Reader) -> ResizeNearest:
    return ResizeNearest(**read_resize(reader))


TFLITE = (TfliteForm("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions", _read),)
