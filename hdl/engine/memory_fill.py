"""Bytes from a link into the memory of weights: where they go, then they themselves."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from .edges import FRAME_BYTE
from .weight_port import PLACE_BITS, PLACE_BYTES


class MemoryFill(Component):
    """A packet begins with a place (4 bytes, the lowest first, in units of 4 bytes); words of the memory follow, the
    lowest byte first. A packet of any length is taken: of a last word that is not whole nothing is written. What a
    reset cuts is written as far as it came.

    Cycles: one for each byte, and those that the memory takes for a word. Cost: a word, a place, a counter.

    Args:
        data_bits: of a word of the memory, 16 or 32.

    Members:
        i: ``In(stream.Signature(FRAME_BYTE))``
        restart: ``Out(1)``, for a cycle, with place: ``Out``; words: ``Out(stream.Signature(data_bits))``.
    """

    def __init__(self, data_bits: int):
        self.data_bits = data_bits
        super().__init__(
            {
                "i": In(Signature(FRAME_BYTE)),
                "restart": Out(1),
                "place": Out(PLACE_BITS),
                "words": Out(Signature(unsigned(data_bits))),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        held = Signal(8 * PLACE_BYTES, reset_less=True)
        position, placed, whole = Signal(range(PLACE_BYTES)), Signal(), Signal()
        byte, taken = self.i.payload, Signal()
        m.d.comb += [
            self.i.ready.eq(~whole),
            taken.eq(self.i.valid & self.i.ready),
            self.place.eq(held),
            self.words.valid.eq(whole),
            self.words.payload.eq(held[-self.data_bits :]),
        ]
        m.d.sync += self.restart.eq(0)
        with m.If(self.words.ready):
            m.d.sync += whole.eq(0)
        with m.If(taken):
            m.d.sync += [held.eq(Cat(held[8:], byte.data)), position.eq(position + 1)]
            with m.If(placed & position[: (self.data_bits // 8 - 1).bit_length()].all()):
                m.d.sync += whole.eq(1)
            with m.If(~placed & (position == PLACE_BYTES - 1)):
                m.d.sync += [placed.eq(1), self.restart.eq(1)]
            with m.If(byte.last):
                m.d.sync += [position.eq(0), placed.eq(0)]
        return m
