"""RESIZE_BILINEAR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.graph import Tensor
from ..graph.resize_operator import ResizeOperator, read_resize
from ..graph.resized_axis import ResizedAxis, bilinear_axis, reaches_beyond
from ..readers.tflite_reader import TfliteForm


@dataclass(frozen=True, eq=False)
class ResizeBilinear(ResizeOperator):
    """RESIZE_BILINEAR of a map to its output's height and width."""

    KIND: ClassVar[str] = "RESIZE_BILINEAR"

    def axis(self, size: int, output_size: int, signed: bool) -> ResizedAxis:
        return bilinear_axis(size, output_size, self.align_corners, self.half_pixel_centers, signed)

    def problems(self, input_tensors: tuple[Tensor, ...], output: Tensor) -> list[str]:
        (input_tensor,) = input_tensors
        sizes = (input_tensor.height, output.height), (input_tensor.width, output.width)
        found = super().problems(input_tensors, output)
        if (
            not found
            and input_tensor.element.signed
            and any(reaches_beyond(*size, self.align_corners) for size in sizes)
        ):
            found = [
                f"reads beyond its map of {input_tensor.height}×{input_tensor.width}, as rounded steps add up in "
                "the kernel"
            ]
        return found


TFLITE = (TfliteForm("RESIZE_BILINEAR", "ResizeBilinearOptions", lambda reader: read_resize(reader, ResizeBilinear)),)
