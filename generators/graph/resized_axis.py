"""Where the places of an axis that is resized lie in the input, and which circuit has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .kept import Kept

INTEGER_BITS = 10
"""Fraction bits of the reference kernel's places where elements are signed."""

REAL_BITS = 8
"""Fraction bits up to which its float32 arithmetic is exact: two weights and an element have 24 bits."""


@dataclass(frozen=True)
class ResizedAxis:
    """What each place of the output is made of along one axis.

    Attributes:
        size: elements of the input.
        newest: the last element that a place needs.
        weights: of the element before it, in parts of ``1 << bits``; the newest has the rest.
        bits: of the weights, the fewest that hold them; None where no number of bits that is exact does.
    """

    size: int
    newest: tuple[int, ...]
    weights: tuple[int, ...]
    bits: int | None

    @property
    def whole(self) -> bool:
        """Whether every place is on an element."""
        return self.bits == 0

    @property
    def enlarged(self) -> bool:
        """Whether every element is passed in turn."""
        ends = self.newest[0], self.newest[-1]
        return self.bits is not None and ends == (0, self.size - 1) and set(np.diff(self.newest)) <= {0, 1}

    @property
    def distance(self) -> int | None:
        """From each newest element to the next, where it is the same everywhere and at least 1."""
        steps = np.diff(self.newest)
        if steps.size and steps.min() != steps.max():
            return None
        step = int(steps[0]) if steps.size else 1
        return step if step >= 1 else None

    @property
    def kept(self) -> Kept | None:
        """First element, step and number, where the places are some of the elements."""
        return (self.newest[0], self.distance, len(self.newest)) if self.whole and self.distance else None

    @property
    def halved(self) -> tuple[int, int] | None:
        """The first of the elements and the distance, where each place is the mean of two neighbours."""
        between = self.bits == 1 and min(self.weights) == 1
        return (self.newest[0] - 1, self.distance) if between and self.distance else None


def _axis(size: int, newest: np.ndarray, weights: np.ndarray, bits: int | None) -> ResizedAxis:
    while bits and not (weights & 1).any():
        weights, bits = weights >> 1, bits - 1
    return ResizedAxis(size, tuple(newest.tolist()), tuple(weights.tolist()), bits)


def repeated_axis(places: int) -> ResizedAxis:
    """One element at every place."""
    return ResizedAxis(1, (0,) * places, (0,) * places, 0)


def nearest_axis(size: int, output_size: int, aligned: bool, half: bool) -> ResizedAxis:
    """``resize_nearest_neighbor.h``: float32 places, rounded down, or to the nearest where corners are aligned."""
    less = int(aligned and output_size > 1)
    scale = np.float32(size - less) / np.float32(output_size - less)
    places = (np.arange(output_size, dtype=np.float32) + np.float32(0.5 if half else 0)) * scale
    newest = np.floor(places + np.float32(0.5) if aligned else places).astype(np.int64)
    return _axis(size, np.clip(newest, 0, size - 1), np.zeros(output_size, np.int64), 0)


def bilinear_axis(size: int, output_size: int, aligned: bool, half: bool, signed: bool) -> ResizedAxis:
    """``resize_bilinear.h``: places with 10 fraction bits of signed elements, float32 of others, whose weights have
    bits where all sums of them are exact."""
    places = (_integer_places if signed else _real_places)(size, output_size, aligned, half)
    bits = INTEGER_BITS if signed else REAL_BITS
    parts = places * (1 if signed else 1 << bits)
    if not signed and (parts != np.floor(parts)).any():
        newest = np.clip(np.ceil(places).astype(np.int64), 0, size - 1)
        return ResizedAxis(size, tuple(newest.tolist()), (0,) * output_size, None)
    parts = parts.astype(np.int64)
    inside = np.clip(parts, 0, (size - 1) << bits)
    newest = -(-inside >> bits)
    return _axis(size, newest, (newest << bits) - inside, bits)


def reaches_beyond(size: int, output_size: int, aligned: bool) -> bool:
    """Whether rounded steps lead the reference kernel beyond the end of an axis of signed elements."""
    return bool(_integer_places(size, output_size, aligned, False)[-1] >= size << INTEGER_BITS)


def _integer_places(size: int, output_size: int, aligned: bool, half: bool) -> np.ndarray:
    less = int(aligned and output_size > 1)
    scale = ((size - less << INTEGER_BITS) + (output_size - less) // 2) // (output_size - less)
    places = np.arange(output_size, dtype=np.int64) * scale
    return places + scale // 2 - (1 << INTEGER_BITS - 1) if half else places


def _real_places(size: int, output_size: int, aligned: bool, half: bool) -> np.ndarray:
    less = int(aligned and output_size > 1)
    scale, middle = np.float32(size - less) / np.float32(output_size - less), np.float32(0.5 if half else 0)
    return (np.arange(output_size, dtype=np.float32) + middle) * scale - middle
