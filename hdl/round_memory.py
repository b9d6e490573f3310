"""Words that come round: one for each of some places that are passed in turn."""

from __future__ import annotations

from amaranth.hdl import Module, Shape, ShapeCastable, ShapeLike, Signal, Value
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out

from .cost import Cost, MemoryCost
from .counting import delayed
from .family import GENERIC, Family
from .primitives import Ram, address_width


class RoundMemory(Component):
    """At each place the word that was left there when it was passed before; a new one takes its place.

    Places are passed in turn, in cycles with ``valid``. Words of a few places are registers that move on; those of more
    are distributed RAM, where LUTs can be that, up to the family's limit, or block RAM, which is told of a place
    ``latency`` cycles earlier: the memory's, else none. A word is in a register before it is written to block RAM, so
    that what makes it of the old one has a cycle to itself; ``newest`` is that register, whatever the words are in.

    Cost: no multiplier; ``memory_bits``: a word for each place.

    Args:
        shape: of a word.
        places: how many there are.
        family: of FPGAs.

    Members:
        place: ``In``, the one that is passed ``latency`` cycles later
        valid: ``In(1)``, a place is passed; new: ``In(shape)``; old: ``Out(shape)``, undefined where nothing was left
        newest: ``Out(shape)``, the word that was left in the cycle before, undefined if there was none

    Raises:
        ValueError: no place.
    """

    multipliers = 0
    cycles_per_beat = 1

    def __init__(self, shape: ShapeLike | ShapeCastable, places: int, *, family: Family = GENERIC):
        if places < 1:
            raise ValueError(f"there is at least one place, not {places}")
        self.shape, self.places, self.family = shape, places, family
        self.width = Shape.cast(shape).width
        # A word that comes again sooner than it can be written to block RAM and read is in registers.
        self.in_registers = places <= max(family.largest_register_queue, family.memory_latency + 1)
        in_block_ram = not self.in_registers and family.queue_in_block_ram(places)
        self.ram = Ram(shape, places, family=family) if in_block_ram else None
        self.latency = self.ram.latency if self.ram is not None else 0
        super().__init__(
            {
                "place": In(address_width(places)),
                "valid": In(1),
                "new": In(shape),
                "old": Out(shape),
                "newest": Out(shape),
            }
        )

    @property
    def memory_bits(self) -> int:
        return self.width * self.places

    @property
    def own_cost(self) -> Cost:
        """The words, where they are no block RAM, which counts itself."""
        if self.ram is not None:
            return Cost()
        kept = MemoryCost(self.width, self.places, read_at_once=not self.in_registers, in_registers=self.in_registers)
        return Cost(memories=(kept,))

    def elaborate(self, platform) -> Module:
        m = Module()
        old, new, newest = Value.cast(self.old), Value.cast(self.new), Value.cast(self.newest)
        if self.in_registers:
            ring = [Signal(self.width, name=f"word_{age}", reset_less=True) for age in range(self.places)]
            m.d.comb += [old.eq(ring[-1]), newest.eq(ring[0])]
            with m.If(self.valid):
                m.d.sync += [later.eq(earlier) for later, earlier in zip(ring, [new, *ring], strict=False)]
            return m
        left = Signal(self.width, reset_less=True)
        m.d.comb += newest.eq(left)
        m.d.sync += left.eq(new)
        if self.ram is not None:
            m.submodules.ram = ram = self.ram
            m.d.sync += ram.w_en.eq(self.valid)
            m.d.comb += [
                ram.r_addr.eq(self.place),
                old.eq(Value.cast(ram.r_data)),
                ram.w_addr.eq(delayed(m, self.place, self.latency + 1, "passed")),
                Value.cast(ram.w_data).eq(left),
            ]
        else:
            m.submodules.memory = memory = Memory(shape=self.width, depth=self.places, init=[])
            write, read = memory.write_port(), memory.read_port(domain="comb")
            m.d.comb += [
                read.addr.eq(self.place),
                write.addr.eq(self.place),
                write.en.eq(self.valid),
                write.data.eq(new),
                old.eq(read.data),
            ]
        return m
