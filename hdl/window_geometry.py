"""The geometry of a sliding window over a stream of pixels: what each output pixel needs, and what it frees.

Plain integers, no circuit: :class:`~mbconv.hdl.window.Window` builds its tables from here, a schedule counts tokens
with the same arrays, so the two cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

AVAILABLE_DELAY = 2
"""Cycles from the acceptance of a pixel's last beat to the first issue that may depend on it."""

RELEASE_DELAY = 2
"""Cycles from the last issue of an output pixel to the acceptance of a beat in the space that it released."""


@dataclass(frozen=True)
class WindowGeometry:
    """A window of ``kernel`` = (rows, columns) that moves over a map of ``height`` × ``width`` pixels by ``strides``
    = (down, across).

    ``padding`` = (top, bottom, left, right) pixels are added around the map; where negative, so many are left out.
    Output pixel (y, x) covers the rows ``y * strides[0] - top + i`` for ``i`` in ``range(kernel[0])``, and likewise the
    columns.

    Pixels are counted in raster order. With n = y · output_width + x:

    - output pixel n can be computed once ``required[n]`` pixels of the frame have arrived;
    - once it is computed, the first ``released[n]`` pixels of the frame are needed no more.

    Both never decrease with n, and after the last output pixel the whole frame is released, with the rows and columns
    that the stride never reads.

    Raises:
        ValueError: a non-positive kernel, a stride below 1, or a map smaller than the kernel.
    """

    height: int
    width: int
    kernel: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        for name, value in (("height", self.height), ("width", self.width)):
            if value < 1:
                raise ValueError(f"the {name} of a map must be at least 1, not {value}")
        for name, values, count in (
            ("kernel", self.kernel, 2),
            ("strides", self.strides, 2),
            ("padding", self.padding, 4),
        ):
            if len(values) != count:
                raise ValueError(f"{name} has {count} numbers, not {values}")
        if min(self.kernel) < 1:
            raise ValueError(f"the sizes of a kernel must be at least 1, not {self.kernel}")
        if min(self.strides) < 1:
            raise ValueError(f"strides must be at least 1, not {self.strides}")
        if self.output_height < 1 or self.output_width < 1:
            raise ValueError(
                f"a map of {self.height} × {self.width} with padding {self.padding} is "
                f"smaller than the kernel {self.kernel}"
            )

    @property
    def output_height(self) -> int:
        return (self.height + self.padding[0] + self.padding[1] - self.kernel[0]) // self.strides[0] + 1

    @property
    def output_width(self) -> int:
        return (self.width + self.padding[2] + self.padding[3] - self.kernel[1]) // self.strides[1] + 1

    @property
    def pixels(self) -> int:
        """Pixels of an input frame."""
        return self.height * self.width

    @property
    def output_pixels(self) -> int:
        return self.output_height * self.output_width

    @property
    def taps(self) -> int:
        return self.kernel[0] * self.kernel[1]

    @property
    def first_rows(self) -> np.ndarray:
        """The map row of the kernel's first row, for each output row; negative in the padding."""
        return np.arange(self.output_height) * self.strides[0] - self.padding[0]

    @property
    def first_columns(self) -> np.ndarray:
        """The map column of the kernel's first column, for each output column; negative in the padding."""
        return np.arange(self.output_width) * self.strides[1] - self.padding[2]

    @property
    def rows_inside(self) -> np.ndarray:
        """``[output_height, kernel rows]``: whether a kernel row lies in the map."""
        rows = self.first_rows[:, None] + np.arange(self.kernel[0])
        return (rows >= 0) & (rows < self.height)

    @property
    def columns_inside(self) -> np.ndarray:
        """``[output_width, kernel columns]``: whether a kernel column lies in the map."""
        columns = self.first_columns[:, None] + np.arange(self.kernel[1])
        return (columns >= 0) & (columns < self.width)

    def _corners(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Raster indices of the first and last pixel inside each window, and whether there is any."""
        top, left = np.maximum(self.first_rows, 0), np.maximum(self.first_columns, 0)
        bottom = np.minimum(self.first_rows + self.kernel[0], self.height) - 1
        right = np.minimum(self.first_columns + self.kernel[1], self.width) - 1
        inside = (self.rows_inside.any(1)[:, None] & self.columns_inside.any(1)).ravel()
        first = (top[:, None] * self.width + left).ravel()
        last = (bottom[:, None] * self.width + right).ravel()
        return first, last, inside

    @property
    def required(self) -> np.ndarray:
        """``[output_pixels]``: pixels of the frame that must be complete before an output pixel is issued."""
        _, last, inside = self._corners()
        return np.maximum.accumulate(np.where(inside, last + 1, 0))

    @property
    def released(self) -> np.ndarray:
        """``[output_pixels]``: leading pixels of the frame that no output pixel after this one reads."""
        first, _, inside = self._corners()
        lowest = np.append(np.where(inside, first, self.pixels), self.pixels)
        return np.minimum.accumulate(lowest[::-1])[::-1][1:]

    def minimum_capacity(self, taps: int = 1) -> int:
        """The least number of pixels that a ring must hold to make progress, in the unit that ``taps`` per cycle
        demands."""
        before = np.append(0, self.released[:-1])
        return self.round_capacity(max(1, int((self.required - before).max())), taps)

    def round_capacity(self, pixels: int, taps: int = 1) -> int:
        """The least capacity of at least ``pixels`` that a ring for ``taps`` taps per cycle can have.

        One tap: any. A kernel row: a multiple of the kernel's columns. The whole kernel: whole rows, at least the
            kernel's.
        """
        if self.whole_rows(taps):
            return max(-(-pixels // self.width), self.kernel[0]) * self.width
        return -(-pixels // taps) * taps

    def whole_rows(self, taps: int) -> bool:
        """Whether ``taps`` per cycle span several kernel rows, so that the ring holds whole rows, dealt to row banks.

        Raises:
            ValueError: ``taps`` is neither 1, a kernel row, nor the kernel.
        """
        rows, columns = self.kernel
        if taps not in (1, columns, rows * columns):
            raise ValueError(
                f"{taps} taps per cycle are neither 1, nor {columns}, nor "
                f"{rows * columns} of a {rows} × {columns} kernel"
            )
        return taps > columns

    def steps(self, taps: int) -> int:
        """Issue cycles of one group of channels of one output pixel."""
        self.whole_rows(taps)
        return self.taps // taps
