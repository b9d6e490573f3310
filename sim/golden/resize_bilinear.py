"""Golden model of RESIZE_BILINEAR (``resize_bilinear.h``)."""

from __future__ import annotations

import numpy as np

from mbconv.generators.graph.graph import Tensor
from mbconv.generators.operators.resize_bilinear import ResizeBilinear

from .kernels import kernel, refuse_fixed

_FRACTION = 10  # bits


@kernel(ResizeBilinear)
def resize_bilinear(
    operator: ResizeBilinear, input_tensors: tuple[Tensor], output: Tensor, values: np.ndarray
) -> np.ndarray:
    """RESIZE_BILINEAR: int8 with places of 10 fraction bits, uint8 in float32."""
    refuse_fixed(operator)
    sizes = ((input_tensors[0].height, output.height), (input_tensors[0].width, output.width))
    if not output.element.signed:
        (y, y0, y1), (x, x0, x1) = (_real_places(inside, outside, operator) for inside, outside in sizes)
        one, dtype = np.float32(1), np.float32
    else:
        (y, y0, y1), (x, x0, x1) = (_integer_places(inside, outside, operator) for inside, outside in sizes)
        one, dtype = 1 << _FRACTION, np.int64
    down = (y - y0.astype(dtype) * one)[:, None, None]
    across = (x - x0.astype(dtype) * one)[None, :, None]
    map_ = values.reshape(input_tensors[0].shape[1:]).astype(dtype)
    total = map_[y0][:, x0] * (one - down) * (one - across)
    total = total + map_[y1][:, x0] * down * (one - across)
    total = total + map_[y0][:, x1] * (one - down) * across
    total = total + map_[y1][:, x1] * down * across
    if dtype is np.float32:
        return (total + np.float32(0.5)).astype(output.element.dtype).reshape(output.shape)
    half = np.where(total > 0, 1, -1) << (2 * _FRACTION - 1)
    rounded = total + half
    rounded = np.sign(rounded) * (np.abs(rounded) >> (2 * _FRACTION))  # C's division
    return rounded.astype(output.element.dtype).reshape(output.shape)


def _integer_places(size: int, output_size: int, operator: ResizeBilinear) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places in the input with 10 fraction bits, and the elements before and behind each, along one axis."""
    scale = ((size << _FRACTION) + output_size // 2) // output_size
    if operator.align_corners and output_size > 1:
        scale = (((size - 1) << _FRACTION) + (output_size - 1) // 2) // (output_size - 1)
    places = np.arange(output_size, dtype=np.int64) * scale
    if operator.half_pixel_centers:
        places = places + scale // 2 - (1 << (_FRACTION - 1))
    lower = np.maximum(places >> _FRACTION, 0)
    upper = np.minimum((np.maximum(places, 0) + (1 << _FRACTION) - 1) >> _FRACTION, size - 1)
    return places, lower, upper


def _real_places(size: int, output_size: int, operator: ResizeBilinear) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    less = int(operator.align_corners and output_size > 1)
    scale = np.float32(size - less) / np.float32(output_size - less)
    places = np.arange(output_size, dtype=np.float32)
    half = np.float32(0.5)
    places = (places + half) * scale - half if operator.half_pixel_centers else places * scale
    lower = np.maximum(np.floor(places), 0).astype(np.int64)
    upper = np.minimum(np.ceil(places), size - 1).astype(np.int64)
    return places, lower, upper
