"""RESIZE_BILINEAR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Operator, Tensor
from ..readers.resize_options import read_resize, resize_problems
from ..readers.tflite_reader import Reader, TfliteForm


@dataclass(frozen=True, eq=False)
class ResizeBilinear(Operator):
    """RESIZE_BILINEAR of a map to its output's height and width."""

    KIND: ClassVar[str] = "RESIZE_BILINEAR"
    align_corners: bool = False
    half_pixel_centers: bool = False

    def problems(self, sources: tuple[Tensor, ...], output: Tensor) -> list[str]:
        return resize_problems(sources[0], output, self.align_corners and self.half_pixel_centers)


def _read(reader: Reader) -> ResizeBilinear:
    return ResizeBilinear(**read_resize(reader))


TFLITE = (TfliteForm("RESIZE_BILINEAR", "ResizeBilinearOptions", _read),)
