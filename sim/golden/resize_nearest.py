"""Golden model of RESIZE_NEAREST_NEIGHBOR (``resize_nearest_neighbor.h``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.resize_nearest import ResizeNearest

from .kernels import kernel


@kernel(ResizeNearest)
def resize_nearest(
    operator: ResizeNearest, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray
) -> np.ndarray:
    """RESIZE_NEAREST_NEIGHBOR: places in float32, rounded down, or to the nearest with aligned corners."""
    rows, columns = (
        _places(inside, outside, operator)
        for inside, outside in ((input_tensors[0].height, output.height), (input_tensors[0].width, output.width))
    )
    return values[:, rows[:, None], columns[None, :]]


def _places(size: int, output_size: int, operator: ResizeNearest) -> np.ndarray:
    """The input's place for each place of the output, along one axis."""
    less = int(operator.align_corners and output_size > 1)
    scale = np.float32(size - less) / np.float32(output_size - less)
    real = (np.arange(output_size, dtype=np.float32) + np.float32(0.5 * operator.half_pixel_centers)) * scale
    places = np.floor(real + np.float32(0.5) if operator.align_corners else real).astype(np.int64)
    return np.clip(places, 0, size - 1)
