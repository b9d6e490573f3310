"""What a window is made of: circuit, memory, cost and event model all come from one object."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Shape

from .family import GENERIC, Family
from .window_geometry import WindowGeometry


@dataclass(frozen=True)
class WindowParameters:
    """Parameters of a :class:`~mbconv.hdl.window.Window`.

    One tap a cycle: a single bank. A kernel row: as many banks as the kernel has columns. The whole kernel: the ring
    holds whole rows in ``row_banks`` × ``column_banks`` banks.

    Args:
        geometry: map, kernel, strides and padding.
        shape: of an element.
        channels, lanes: C, and P of the stream; lanes beyond the last channel are passed on as they are.
        taps: K: 1, a kernel row, or the whole kernel.
        capacity: N pixels; by default, and at least, ``geometry.minimum_capacity(taps)``.
        pad_value: of taps in the padding.
        family: of FPGAs.
        repeats: how often the steps of a group are issued, one pass after the other.
        passes: of all groups of an output pixel; by default all of every group, else fewer of the last one.

    Raises:
        ValueError: passes that leave out a group or are more than all; a first window wholly in the padding; a capacity
            that is too small, or that such a ring cannot have; taps that are not offered; no channel or lane; a
            ``pad_value`` that the shape does not hold.
    """

    geometry: WindowGeometry
    shape: Shape
    channels: int
    lanes: int
    taps: int = 1
    capacity: int | None = None
    pad_value: int = 0
    family: Family = GENERIC
    repeats: int = 1
    passes: int | None = None

    def __post_init__(self) -> None:
        geometry, element = self.geometry, Shape.cast(self.shape)
        object.__setattr__(self, "shape", element)
        if self.channels < 1 or self.lanes < 1:
            raise ValueError(f"a window has at least one channel and one lane, not {self.channels} and {self.lanes}")
        if self.passes is None:
            object.__setattr__(self, "passes", self.groups * self.repeats)
        if self.repeats < 1 or not 0 < self.passes - (self.groups - 1) * self.repeats <= self.repeats:
            raise ValueError(f"{self.passes} passes are not {self.repeats} of each of {self.groups} groups")
        if not geometry.required[0]:
            raise ValueError(
                f"the first window lies wholly in the padding {geometry.padding}: its frame could not be told"
            )
        least = geometry.minimum_capacity(self.taps)
        if self.capacity is None:
            object.__setattr__(self, "capacity", least)
        if self.capacity < least:
            raise ValueError(f"a ring of {self.capacity} pixels deadlocks: this window needs {least}")
        if (possible := geometry.round_capacity(self.capacity, self.taps)) != self.capacity:
            raise ValueError(f"a ring for {self.taps} taps per cycle cannot hold {self.capacity} pixels but {possible}")
        low, high = (-(1 << element.width - 1), 1 << element.width - 1) if element.signed else (0, 1 << element.width)
        if not low <= self.pad_value < high:
            raise ValueError(f"the padding {self.pad_value} is not a value of {element!r}")

    @property
    def groups(self) -> int:
        """Beats of a pixel."""
        return -(-self.channels // self.lanes)

    @property
    def steps(self) -> int:
        """Issue cycles of a pass."""
        return self.geometry.steps(self.taps)

    @property
    def last_repeats(self) -> int:
        """Passes of a pixel's last group."""
        return self.passes - (self.groups - 1) * self.repeats

    @property
    def cycles_per_pixel(self) -> int:
        """Of an output pixel."""
        return self.passes * self.steps

    @property
    def cycles_per_frame(self) -> int:
        return self.geometry.output_pixels * self.cycles_per_pixel

    @property
    def whole_rows(self) -> bool:
        """The ring holds whole rows."""
        return self.geometry.whole_rows(self.taps)

    @property
    def column_banks(self) -> int:
        return 1 if self.taps == 1 else self.geometry.kernel[1]

    @cached_property
    def row_banks(self) -> int:
        """The fewest that hold any kernel's rows apart when the ring wraps."""
        if not self.whole_rows:
            return 1
        rows = self.capacity // self.geometry.width
        return next(banks for banks in range(self.geometry.kernel[0], rows + 1) if rows % banks == 0)

    @property
    def row_slots(self) -> int:
        """Rows that a row bank holds."""
        return self.capacity // self.geometry.width // self.row_banks if self.whole_rows else 1

    @property
    def row_words(self) -> int:
        """Words of a row (of the ring where it is not of whole rows) in a bank."""
        pixels = self.geometry.width if self.whole_rows else self.capacity
        return -(-pixels // self.column_banks) * self.groups

    @property
    def depth(self) -> int:
        """Words of a bank. A ring of pixels may be larger than what it holds: its addresses go round at any size."""
        return self.row_slots * self.row_words if self.whole_rows else self.family.rounded_depth(self.row_words)

    @property
    def memory_bits(self) -> int:
        """Of all banks."""
        return self.row_banks * self.column_banks * self.depth * self.lanes * self.shape.width

    @property
    def memory_latency(self) -> int:
        """Address register, memory, and a register after each rotation."""
        return 1 + self.family.memory_latency + (2 if self.whole_rows else 1)

    @property
    def latency(self) -> int:
        """Cycles from a step's issue to its data: a register of the position's moves, and the memory."""
        return 1 + self.memory_latency
