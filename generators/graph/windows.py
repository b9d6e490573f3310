"""Windows that slide over a map, and its padding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Padding:
    """Elements added at each side of a map, holding the input's zero point."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    @classmethod
    def same(cls, size: tuple[int, int], kernel: tuple[int, int], strides: tuple[int, int]) -> Padding:
        """TFLite's SAME for a map of ``size`` (height, width): ⌈size ÷ stride⌉ windows, the smaller half first."""
        sides = []
        for length, taps, stride in zip(size, kernel, strides, strict=True):
            total = max((-(-length // stride) - 1) * stride + taps - length, 0)
            sides += [total // 2, total - total // 2]
        return cls(*sides)

    def __str__(self) -> str:
        return f"{self.top},{self.bottom},{self.left},{self.right}"

    def __add__(self, other: Padding) -> Padding:
        return Padding(
            self.top + other.top, self.bottom + other.bottom, self.left + other.left, self.right + other.right
        )


NO_PADDING = Padding()


@dataclass(frozen=True)
class Window:
    """Rows and columns of a window, its steps, and the padding of the map that it slides over."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    padding: Padding


NO_WINDOW = Window((1, 1), (1, 1), NO_PADDING)
