"""A memory as the source of a periodic stream: weights and requantisation words of a network that never changes."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, Shape, ShapeLike, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, Out

from .fifo import advance
from .primitives import Rom, address_width


class RomSource(Component):
    """Streams the words of a :class:`~mbconv.hdl.primitives.Rom` over and over, one each cycle, from its first after
    reset.

    The first beat is valid three cycles after reset. Cost: ``memory_bits``.

    Args:
        shape: of a beat's payload.
        words: the period's beats as non-negative integers of the payload's width.
        name: of the memory file.

    Members:
        o: ``Out(stream.Signature(shape))``
    """

    multipliers = 0
    cycles_per_beat = 1
    latency = 3

    def __init__(self, shape: ShapeLike, words: Sequence[int], name: str):
        self.shape = shape
        self.rom = Rom(words, Shape.cast(shape).width, name)
        super().__init__({"o": Out(Signature(shape))})

    @property
    def memory_bits(self) -> int:
        return self.rom.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.rom = self.rom
        address = Signal(address_width(len(self.rom.words)))
        full = Signal(Rom.LATENCY)  # which of the memory's two registers hold a word
        m.d.comb += [
            self.rom.en.eq(~full[-1] | self.o.ready),
            self.rom.addr.eq(address),
            self.o.valid.eq(full[-1]),
            getattr(self.o.payload, "as_value", lambda: self.o.payload)().eq(self.rom.data),
        ]
        with m.If(self.rom.en):
            m.d.sync += full.eq((full << 1) | 1)
            if len(self.rom.words) > 1:
                advance(m, address, len(self.rom.words))
        return m
