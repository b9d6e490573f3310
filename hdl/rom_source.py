"""A memory as the source of a periodic stream: weights and requantisation words of a network that never changes."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Shape, ShapeLike, Signal, Value
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, Out

from .cost import NOTHING
from .counting import advance
from .family import GENERIC, Family
from .primitives import Rom, address_width


class RomSource(Component):
    """Streams the words of a :class:`~mbconv.hdl.primitives.Rom` over and over, from its first after reset.

    It never starves, as ``always_valid`` says: each word is read before the one in front of it is taken, and the first
    is there ``latency`` cycles after reset, before any pipeline can want it: what is issued in the first cycle has its
    data that much later.

    A beat each cycle. Cost: ``memory_bits``, an address counter.

    Args:
        shape: of a beat's payload.
        words: the period's beats as non-negative integers of the payload's width.
        name: of the memory file.

    Members:
        o: ``Out(stream.Signature(shape, always_valid=True))``
    """

    multipliers = 0
    cycles_per_beat = 1
    own_cost = NOTHING

    def __init__(self, shape: ShapeLike, words: Sequence[int], name: str, *, family: Family = GENERIC):
        self.shape = shape
        self.rom = Rom(words, Shape.cast(shape).width, name, family=family)
        super().__init__({"o": Out(Signature(shape, always_valid=True))})

    @property
    def latency(self) -> int:
        """Cycles after reset before the first word is there."""
        return self.rom.latency

    @property
    def memory_bits(self) -> int:
        return self.rom.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.rom = self.rom
        address = Signal(address_width(len(self.rom.words)))
        filled = Signal(self.rom.latency)  # which of the memory's registers hold a word
        m.d.comb += [
            self.rom.en.eq(~filled[-1] | self.o.ready),
            self.rom.addr.eq(address),
            Value.cast(self.o.payload).eq(self.rom.data),
        ]
        m.d.sync += filled.eq(Cat(1, filled))
        with m.If(self.rom.en):
            advance(m, address, len(self.rom.words))
        return m
