"""What a slice keeps of a tensor, as a circuit sees it: rows, columns and channels of a raster."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from .graph import GraphError, Tensor

Kept = tuple[int, int, int]
"""Of an axis the first element that is kept, the step from one to the next, and how many are kept."""


def kept_raster(slices: Sequence[Kept], input_tensor: Tensor, output: Tensor) -> tuple[Kept, Kept, Kept]:
    """Rows, columns and channels of a tensor's raster that are kept; in a raster all axes before the last two are rows.

    Raises:
        GraphError: no stream has them in this order: elements taken backwards, channels that are dropped as an axis,
            several axes cut that make up the rows.
    """
    if any(step < 0 and count > 1 for _, step, count in slices):
        raise GraphError(f"takes elements backwards ({list(slices)}: first, step, count), which no circuit does")
    ones = [(first, 1 if count == 1 else step, count) for first, step, count in slices]
    *outer, channels = ones
    columns = outer.pop() if outer else (0, 1, 1)
    if output.channels != channels[2]:
        raise GraphError(
            f"drops the channels of shape {list(input_tensor.shape)} as an axis, or makes channels of another; a "
            "circuit keeps rows, columns and channels apart"
        )
    sizes = input_tensor.shape[: len(outer)]
    cut = [axis for axis, (size, kept) in enumerate(zip(sizes, outer, strict=True)) if kept != (0, 1, size)]
    if not cut:
        return (0, 1, prod(sizes)), columns, channels
    (axis, *others) = cut
    if others or prod(sizes[:axis]) > 1 or (outer[axis][1] > 1 and prod(sizes[axis + 1 :]) > 1):
        raise GraphError(f"cuts several of the axes {list(sizes)} before rows, which no circuit does")
    inner = prod(sizes[axis + 1 :])
    first, step, count = outer[axis]
    return (first * inner, step, count * inner), columns, channels


def whole_beats(channels: Kept) -> tuple[int, ...]:
    """Numbers that the lanes divide, so that the channels that are kept are whole beats."""
    first, step, count = channels
    if step > 1 and count > 1:
        return (1,)
    return (first, count) if first else (count,)
