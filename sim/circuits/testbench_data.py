"""Stream beats as arrays of integers and as payload bits: packing, unpacking, and tensors in stream order.

A beat of shape ``ArrayLayout(element, L)`` is a row of an integer array ``[beats, L]``; nested layouts add axes. Beats
whose elements are structures are mappings (or numpy structured arrays) from field to array. Beats may always be given
as whole payloads instead, ``Payloads([...])``: non-negative Python integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from amaranth.hdl import Shape, ShapeLike
from amaranth.lib.data import ArrayLayout, Layout


class Payloads(tuple):
    """Beats given as whole payloads: non-negative integers of any width."""


def _integer_bits(shape: Shape, values: np.ndarray, dimensions: tuple[int, ...]) -> np.ndarray:
    """Two's complement bits, least significant first, along a new last axis."""
    if values.shape != dimensions:
        raise ValueError(f"beats of elements with dimensions {dimensions} are needed, not {values.shape}")
    if values.dtype.kind == "b":
        values = values.astype(np.uint8)
    if values.dtype.kind not in "iuO":
        raise ValueError(f"elements of a stream are integers, not {values.dtype}")
    low, high = (-(1 << shape.width - 1), (1 << shape.width - 1) - 1) if shape.signed else (0, (1 << shape.width) - 1)
    if values.size and not (low <= int(values.min()) and int(values.max()) <= high):
        raise ValueError(f"values {values.min()} to {values.max()} do not fit {shape!r}")
    if shape.width > 63 or values.dtype.kind == "O":
        mask = (1 << shape.width) - 1
        rows = [[(int(v) & mask) >> i & 1 for i in range(shape.width)] for v in values.reshape(-1)]
        return np.array(rows, np.uint8).reshape(*dimensions, shape.width)
    return (values.astype(np.int64)[..., None] >> np.arange(shape.width) & 1).astype(np.uint8)


def _bits(shape: ShapeLike, values: Any, leading: tuple[int, ...]) -> np.ndarray:
    """The bits ``[*leading, width]`` of values with leading axes ``leading``."""
    dimensions = leading
    while isinstance(shape, ArrayLayout):
        dimensions += (shape.length,)
        shape = shape.elem_shape
    if isinstance(shape, Layout):
        bits = np.zeros((*dimensions, shape.size), np.uint8)
        for name, field in shape:
            bits[..., field.offset : field.offset + field.width] = _bits(field.shape, values[name], dimensions)
    else:
        bits = _integer_bits(Shape.cast(shape), np.asarray(values), dimensions)
    return bits.reshape(*leading, -1)


def _count(values: Any) -> int:
    """The number of beats of values in any accepted form."""
    while isinstance(values, Mapping):
        values = next(iter(values.values()))
    return len(values)


def pack(shape: ShapeLike, values: Any) -> list[int]:
    """Beats to payloads.

    Raises:
        ValueError: the values' dimensions are not the shape's, or a value does not fit.
    """
    width = Shape.cast(shape).width
    if isinstance(values, Payloads):
        wrong = next((v for v in values if v < 0 or v >> width), None)
        if wrong is not None:
            raise ValueError(f"the payload {wrong:#x} does not fit {width} bits")
        return list(values)
    count = _count(values)
    if not count:
        return []
    rows = np.packbits(_bits(shape, values, (count,)), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


def element_at(shape: ShapeLike, bit: int) -> tuple[str, int, Shape]:
    """The element that holds a payload's bit: its path such as ``[3]`` or ``[0].bias``, its offset, its shape."""
    if isinstance(shape, ArrayLayout):
        width = Shape.cast(shape.elem_shape).width
        path, offset, leaf = element_at(shape.elem_shape, bit % width)
        return f"[{bit // width}]{path}", bit // width * width + offset, leaf
    if isinstance(shape, Layout):
        for name, field in shape:
            if field.offset <= bit < field.offset + field.width:
                path, offset, leaf = element_at(field.shape, bit - field.offset)
                return f".{name}{path}", field.offset + offset, leaf
    return "", 0, Shape.cast(shape)


def element_value(payload: int, offset: int, shape: Shape) -> int:
    """An element's integer."""
    value = payload >> offset & (1 << shape.width) - 1
    return value - (1 << shape.width) if shape.signed and value >> shape.width - 1 else value


def unpack_words(shape: ShapeLike, words: np.ndarray) -> np.ndarray:
    """Beats ``uint32 [beats, words]``, lowest word first, to an integer array ``[beats, lanes…]``.

    The elements are integers of at most 62 bits, not structures.
    """
    dimensions: tuple[int, ...] = (len(words),)
    width = Shape.cast(shape).width
    while isinstance(shape, ArrayLayout):
        dimensions += (shape.length,)
        shape = shape.elem_shape
    leaf = Shape.cast(shape)
    data = np.ascontiguousarray(words, "<u4").view(np.uint8)
    if leaf.width in (8, 16, 32):
        kind = f"<{'i' if leaf.signed else 'u'}{leaf.width // 8}"
        values = np.ascontiguousarray(data[:, : width // 8]).view(kind)
        return values.reshape(dimensions).astype(np.int64)
    bits = np.unpackbits(data, axis=1, bitorder="little", count=width).reshape(*dimensions, leaf.width)
    values = np.zeros(dimensions, np.int64)
    for bit in range(leaf.width):
        values |= bits[..., bit].astype(np.int64) << bit
    return values - ((values >> leaf.width - 1) << leaf.width) if leaf.signed else values


def unpack(shape: ShapeLike, payloads: Sequence[int]) -> np.ndarray:
    """Payloads to an integer array ``[beats, lanes…]``; the inverse of :func:`pack` for elements as above."""
    size = max(1, -(-Shape.cast(shape).width // 32)) * 4
    words = np.frombuffer(b"".join(payload.to_bytes(size, "little") for payload in payloads), "<u4")
    return unpack_words(shape, words.reshape(len(payloads), size // 4))


def tensor_beats(tensor: np.ndarray, lanes: int, filler: np.ndarray | int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A tensor ``[…, channels]`` in stream order: beats ``[beats, lanes]`` and the mask of lanes that hold a channel.

    Args:
        filler: what the lanes beyond the last channel carry; a number, or an array that is repeated over them.
    """
    channels = tensor.shape[-1]
    pixels = tensor.reshape(-1, channels)
    groups = -(-channels // lanes)
    mask = np.broadcast_to(np.arange(groups * lanes) < channels, (len(pixels), groups * lanes))
    beats = np.resize(np.asarray(filler, pixels.dtype), mask.shape)
    beats[:, :channels] = pixels
    return beats.reshape(-1, lanes), mask.reshape(-1, lanes)
