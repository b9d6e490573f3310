"""A unary operator as a table of its values: activations, requantisation of a tensor, arithmetic with a constant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Module, Shape, ShapeLike, Signal, Value

from .cost import NOTHING
from .counting import advance
from .elementwise import Elementwise
from .family import GENERIC, Family
from .operand import Operand
from .primitives import Rom
from .value_tables import value_range


class Lookup(Elementwise):
    """Every element replaced by its entry in a table, one for all channels or one for each.

    A beat is taken in each cycle in which the output queue has room; its result is valid ``latency`` cycles later: the
    memory's and the queue's.

    Cycles per frame: its beats. Cost: no multiplier; ``memory_bits``: for each lane a memory of its tables, and the
    queue.

    Args:
        shape_in, shape_out: of an element; ``shape_in`` has 2 to 16 bits.
        channels: of a pixel.
        lanes: of both streams.
        tables: integers ``[1][2^bits]`` or ``[channels][2^bits]``, in ascending order of the input's values.
        queue_depth: beats of the output queue; by default the least that sustains one beat a cycle.
        name: of the memory files: ``<name>.hex``, or ``<name>_0.hex`` … for each lane where channels have their own.

    Members:
        i: ``In(stream.Signature(ArrayLayout(shape_in, lanes)))``
        o: ``Out(stream.Signature(ArrayLayout(shape_out, lanes)))``

    Raises:
        ValueError: a count below 1, tables of another size, or entries outside the output's range.
    """

    own_cost = NOTHING

    def __init__(
        self,
        shape_in: ShapeLike,
        shape_out: ShapeLike,
        channels: int,
        lanes: int,
        tables: Sequence[Sequence[int]] | np.ndarray,
        *,
        queue_depth: int | None = None,
        name: str = "lookup",
        family: Family = GENERIC,
    ):
        self.shape_in, self.shape_out = Shape.cast(shape_in), Shape.cast(shape_out)
        if channels < 1 or lanes < 1:
            raise ValueError(f"a pixel has at least one channel and one lane, not {channels} and {lanes}")
        if not 2 <= self.shape_in.width <= 16:
            raise ValueError(f"a table is addressed by 2 to 16 bits, not {self.shape_in.width}")
        self.tables = np.asarray(tables, np.int64)
        values = 1 << self.shape_in.width
        if self.tables.shape not in ((1, values), (channels, values)):
            raise ValueError(f"tables [1 or {channels}][{values}] are needed, not {list(self.tables.shape)}")
        low, high = value_range(self.shape_out)
        if self.tables.min() < low or self.tables.max() > high:
            raise ValueError(
                f"entries {self.tables.min()}..{self.tables.max()} exceed the output's range {low}..{high}"
            )
        self.channels, self.lanes, self.family = channels, lanes, family
        self.groups = -(-channels // lanes)
        self.roms = [self._rom(lane, name) for lane in range(lanes)]
        operand = Operand(self.shape_in, lanes, family=family)
        super().__init__(
            {"i": operand}, self.shape_out, lanes, family.memory_latency, queue_depth=queue_depth, family=family
        )

    @property
    def per_channel(self) -> bool:
        return len(self.tables) > 1

    @property
    def cycles_per_pixel(self) -> int:
        return self.groups

    @property
    def memory_bits(self) -> int:
        return sum(rom.memory_bits for rom in self.roms) + super().memory_bits

    def _rom(self, lane: int, name: str) -> Rom:
        """A lane's tables one after another, each addressed by an element's bits."""
        width = self.shape_out.width
        # A lane without a channel in the last group reads the last channel's table: its results do not matter.
        channels = np.minimum(np.arange(self.groups) * self.lanes + lane, self.channels - 1)
        tables = self.tables[channels] if self.per_channel else self.tables
        by_bits = np.roll(tables, -(tables.shape[1] // 2), axis=1) if self.shape_in.signed else tables
        words = [int(word) for word in by_bits.ravel() & ((1 << width) - 1)]
        return Rom(words, width, f"{name}_{lane}" if self.per_channel else name, family=self.family)

    def datapath(self, m: Module, taken: Value, x: Value) -> Sequence[Value]:
        group = Signal(range(self.groups))
        if self.per_channel:
            with m.If(taken[0]):
                advance(m, group, self.groups)
        for lane, rom in enumerate(self.roms):
            m.submodules[f"rom_{lane}"] = rom
            m.d.comb += [rom.en.eq(1), rom.addr.eq(Cat(x[lane], group) if self.per_channel else x[lane])]
        return [rom.data for rom in self.roms]
