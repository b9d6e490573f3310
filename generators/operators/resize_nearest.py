"""RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.resize_operator import ResizeOperator, read_resize
from ..graph.resized_axis import ResizedAxis, nearest_axis
from ..readers.tflite_reader import TfliteForm


@dataclass(frozen=True, eq=False)
class ResizeNearest(ResizeOperator):
    """RESIZE_NEAREST_NEIGHBOR of a map to its output's height and width."""

    KIND: ClassVar[str] = "RESIZE_NEAREST_NEIGHBOR"

    def axis(self, size: int, output_size: int, signed: bool) -> ResizedAxis:
        return nearest_axis(size, output_size, self.align_corners, self.half_pixel_centers)


TFLITE = (
    TfliteForm(
        "RESIZE_NEAREST_NEIGHBOR",
        "ResizeNearestNeighborOptions",
        lambda reader: read_resize(reader, ResizeNearest),
    ),
)
