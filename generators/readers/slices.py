"""The arithmetic of STRIDED_SLICE: masks, negative indices and steps (``strided_slice_logic.h``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def strided_slices(
    shape: Sequence[int], begin: Sequence[int], end: Sequence[int], strides: Sequence[int], options: Mapping
) -> tuple[tuple[tuple[int, int, int], ...], tuple[int, ...]]:
    """First element, step and count of each axis, and the axes that vanish from the shape.

    Raises:
        ValueError: a mask that is not supported (ellipsis, new axis) or lists that do not fit; its message follows the
            operator's name.
    """
    if options.get("EllipsisMask") or options.get("NewAxisMask"):
        raise ValueError("has an ellipsis or a new axis in its slices; convert again with plain ones")
    if not len(begin) == len(end) == len(strides) <= len(shape):
        raise ValueError(f"has {len(begin)} begins, {len(end)} ends and {len(strides)} strides for {len(shape)} axes")
    if 0 in strides:
        raise ValueError("has a stride of 0")
    slices, vanishing = [], []
    for axis, size in enumerate(shape):
        if axis >= len(begin):
            slices.append((0, 1, size))
            continue
        bit = 1 << axis
        step = strides[axis]
        if options.get("ShrinkAxisMask", 0) & bit:
            first = begin[axis] + size if begin[axis] < 0 else begin[axis]
            slices.append((first, 1, 1))
            vanishing.append(axis)
            continue
        first = None if options.get("BeginMask", 0) & bit else begin[axis]
        last = None if options.get("EndMask", 0) & bit else end[axis]
        if options.get("Offset") and last is not None:
            last += begin[axis]
        places = range(size)[first:last:step]
        slices.append((places.start, step, len(places)))
    return tuple(slices), tuple(vanishing)
