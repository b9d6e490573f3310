"""What the two resizing operators have in common in ``.tflite`` files."""

from __future__ import annotations

from ..graph.graph import Tensor
from .tflite_reader import Reader, Unsupported


def read_resize(reader: Reader) -> dict:
    """The fields of a resizing operator."""
    reader.check_inputs(2, 2)
    source, output = reader.computed(), reader.output()
    size = reader.constant(1, "size", ("INT32",)).reshape(-1).tolist()
    if size != [output.height, output.width]:
        raise Unsupported(f"asks for {size[:8]} and writes shape {list(output.shape)}")
    return {
        **reader.common(source),
        "align_corners": bool(reader.option("AlignCorners")),
        "half_pixel_centers": bool(reader.option("HalfPixelCenters")),
    }


def resize_problems(source: Tensor, output: Tensor, both: bool) -> list[str]:
    """What is wrong with a map's shape and the one that it is resized to; ``both`` options exclude each other."""
    if both:
        return ["has both align_corners and half_pixel_centers, which exclude each other"]
    if len(source.shape) != 4 or len(output.shape) != 4 or source.channels != output.channels:
        return [f"turns shape {list(source.shape)} into {list(output.shape)}; a map has 4 dimensions (NHWC)"]
    return []
