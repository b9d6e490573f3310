"""RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Operator, Tensor
from ..readers.resize_options import read_resize, resize_problems
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class ResizeNearest(Operator):
    """RESIZE_NEAREST_NEIGHBOR of a map to its output's height and width."""

    KIND: ClassVar[str] = "RESIZE_NEAREST_NEIGHBOR"
    align_corners: bool = False
    half_pixel_centers: bool = False

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        return resize_problems(sources[0], output, self.align_corners and self.half_pixel_centers)


def _read(reader: Reader) -> ResizeNearest:
    return ResizeNearest(**read_resize(reader))


TFLITE = (TfliteForm("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions", _read),)
