"""From a line of bytes to packets: consistent overhead byte stuffing (COBS) undone."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..cost import Cost
from ..layouts import StructLayout

DECODED = StructLayout({"data": 8, "end": 1, "bad": 1})
"""A byte of a packet, or its end, which says whether the packet was cut."""


class CobsDecoder(Component):
    """Takes the stuffing off as it comes (Cheshire, Baker 1999), without memory.

    A zero ends a packet whatever came before: the decoder is in step again from there. Of the other bytes the first of
    each block tells its length; it becomes the zero that ended the block before, if there was one.

    Cycles per byte: 1. ``latency`` 0. Cost: a counter of 8 bits, one register, three comparisons of 8 bits.

    Members:
        i: ``In(stream.Signature(8))``
        o: ``Out(stream.Signature(DECODED))``: ``end`` for each zero, with ``bad`` if a block was not complete
    """

    latency = 0
    cycles_per_beat = 1
    own_cost = Cost(35)  # a counter of 8 bits and what it begins with, a byte or 0, comparisons

    def __init__(self):
        super().__init__({"i": In(Signature(8)), "o": Out(Signature(DECODED))})

    def elaborate(self, platform) -> Module:
        m = Module()
        left = Signal(8)  # bytes of this block that are still to come
        zero = Signal()  # it stands for a zero at its end, if another block follows
        byte, given = self.i.payload, self.o.p
        delimiter, code = Signal(), Signal()
        m.d.comb += [
            delimiter.eq(byte == 0),
            code.eq(left == 0),
            given.data.eq(Mux(code, 0, byte)),
            given.end.eq(delimiter),
            given.bad.eq(delimiter & ~code),
            self.o.valid.eq(self.i.valid & (delimiter | ~code | zero)),
            self.i.ready.eq(self.o.ready | ~(delimiter | ~code | zero)),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += left.eq(Mux(delimiter, 0, Mux(code, byte, left) - 1))
            with m.If(delimiter):
                m.d.sync += zero.eq(0)
            with m.Elif(code):
                m.d.sync += zero.eq(byte != 0xFF)
        return m
