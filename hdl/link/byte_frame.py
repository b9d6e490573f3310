"""From bytes to the beats of an AXI4-Stream."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..axi_stream import axi_payload
from ..cost import NOTHING, Cost
from ..counting import advance
from .cobs_encoder import PACKET


class ByteFrame(Component):
    """Gathers ``data_bytes`` bytes for each beat, fewer for the last one of a packet.

    Cycles per packet: its bytes, and one for each beat where beats have several bytes. ``latency``: 0 where a beat is a
    byte, which then passes as it is, 1 otherwise. Cost: the register of a beat where it has several bytes.

    Args:
        data_bytes: of TDATA, a power of two.

    Members:
        i: ``In(stream.Signature(PACKET))``
        o: ``Out(stream.Signature(axi_payload(data_bytes)))``
    """

    def __init__(self, data_bytes: int):
        if data_bytes < 1 or data_bytes & (data_bytes - 1):
            raise ValueError(f"the width of TDATA is a power of two of bytes, not {data_bytes}")
        self.data_bytes = data_bytes
        super().__init__({"i": In(Signature(PACKET)), "o": Out(Signature(axi_payload(data_bytes)))})

    @property
    def latency(self) -> int:
        return 0 if self.data_bytes == 1 else 1

    @property
    def own_cost(self) -> Cost:
        """A byte's register, its enable and its mark, each; nothing where a beat is a byte."""
        return Cost(11 * self.data_bytes) if self.data_bytes > 1 else NOTHING

    def elaborate(self, platform) -> Module:
        m = Module()
        if self.data_bytes == 1:
            m.d.comb += [
                self.o.valid.eq(self.i.valid),
                self.i.ready.eq(self.o.ready),
                self.o.p.data.eq(self.i.p.data),
                self.o.p.keep.eq(1),
                self.o.p.last.eq(self.i.p.last),
            ]
            return m
        data = [Signal(8, name=f"byte_{index}", reset_less=True) for index in range(self.data_bytes)]
        keep, last, full = Signal(self.data_bytes), Signal(), Signal()
        index = Signal(range(self.data_bytes))
        m.d.comb += [
            self.i.ready.eq(~full),
            self.o.valid.eq(full),
            self.o.p.data.eq(Cat(data)),
            self.o.p.keep.eq(keep),
            self.o.p.last.eq(last),
        ]
        with m.If(full & self.o.ready):
            m.d.sync += [full.eq(0), keep.eq(0), index.eq(0)]
        with m.If(self.i.valid & ~full):
            for number, byte in enumerate(data):
                with m.If(index == number):
                    m.d.sync += [byte.eq(self.i.p.data), keep[number].eq(1)]
            advance(m, index, self.data_bytes)
            m.d.sync += [last.eq(self.i.p.last), full.eq(self.i.p.last | (index == self.data_bytes - 1))]
        return m
