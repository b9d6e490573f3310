"""From the beats of an AXI4-Stream to bytes."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..axi_stream import axi_payload
from ..cost import NOTHING, Cost
from ..counting import advance
from .cobs_encoder import PACKET


class FrameBytes(Component):
    """Gives the bytes that a beat keeps, which are its lowest, one after another.

    Cycles per packet: its bytes. ``latency`` 0. Cost: the choice of a byte, where beats have several.

    Args:
        data_bytes: of TDATA, a power of two.

    Members:
        i: ``In(stream.Signature(axi_payload(data_bytes, user=True)))``, at least one byte kept in every beat
        o: ``Out(stream.Signature(PACKET))``
    """

    latency = 0

    def __init__(self, data_bytes: int):
        if data_bytes < 1 or data_bytes & (data_bytes - 1):
            raise ValueError(f"the width of TDATA is a power of two of bytes, not {data_bytes}")
        self.data_bytes = data_bytes
        super().__init__({"i": In(Signature(axi_payload(data_bytes, user=True))), "o": Out(Signature(PACKET))})

    @property
    def own_cost(self) -> Cost:
        """The choice of a byte and of whether the next is kept; nothing where a beat is a byte."""
        return Cost(11 * self.data_bytes) if self.data_bytes > 1 else NOTHING

    def elaborate(self, platform) -> Module:
        m = Module()
        index = Signal(range(self.data_bytes))
        end = Signal()  # of the beat
        kept = self.i.p.keep >> 1  # whether the byte after each is kept
        m.d.comb += [
            end.eq(~kept.bit_select(index, 1)),
            self.o.valid.eq(self.i.valid),
            self.o.p.data.eq(self.i.p.data.word_select(index, 8)),
            self.o.p.last.eq(self.i.p.last & end),
            self.i.ready.eq(self.o.ready & end),
        ]
        if self.data_bytes > 1:
            with m.If(self.o.valid & self.o.ready):
                advance(m, index, self.data_bytes)
                with m.If(end):
                    m.d.sync += index.eq(0)
        return m
