"""From packets to a line of bytes: consistent overhead byte stuffing (COBS), a zero behind each packet."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..cost import Cost
from ..family import GENERIC, Family
from ..layouts import StructLayout
from ..primitives import Ram

PACKET = StructLayout({"data": 8, "last": 1})
"""A byte of a packet."""

LONGEST_BLOCK = 254


class CobsEncoder(Component):
    """Keeps a block of up to 254 bytes until its length is known, then sends length and bytes (Cheshire, Baker 1999).

    A block ends with a zero, with the packet, or with its 254th byte. No byte is taken while a block is sent.

    Cycles of a packet, where nothing stalls: one for each byte, 1 + 3·n for each block of n bytes other than zero, one
    for the delimiter. A packet that ends with a zero has an empty block behind it. Cost: ``memory_bits`` in block RAM,
    two counters of 8 bits.

    Members:
        i: ``In(stream.Signature(PACKET))``
        o: ``Out(stream.Signature(8))``
        busy: ``Out(1)``, a block is being sent
    """

    own_cost = Cost(80)  # two counters of 8 bits, three comparisons, a choice of bytes, control

    def __init__(self, *, family: Family = GENERIC):
        self.ram = Ram(8, LONGEST_BLOCK, family=family)
        super().__init__({"i": In(Signature(PACKET)), "o": Out(Signature(8)), "busy": Out(1)})

    @property
    def memory_bits(self) -> int:
        return self.ram.memory_bits

    def cycles(self, packet: bytes) -> int:
        """From the acceptance of a packet's first byte to that of its delimiter, and one: where nothing stalls."""
        blocks, length = [], 0
        for byte in packet:
            length += byte != 0
            if byte == 0 or length == LONGEST_BLOCK:
                blocks.append(length)
                length = 0
        if length or packet.endswith(b"\0"):
            blocks.append(length)
        return len(packet) + sum(1 + (1 + self.ram.latency) * length for length in blocks) + 1

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.ram = ram = self.ram
        written, read = Signal(8), Signal(8)
        zero, last = Signal(), Signal()  # the block ended with one; the packet ended with it
        waiting = Signal(range(ram.latency + 1))  # cycles until the memory shows the byte at ``read``
        m.d.comb += [ram.w_addr.eq(written), ram.w_data.eq(self.i.p.data), ram.r_addr.eq(read)]

        with m.FSM() as states:
            m.d.comb += self.busy.eq(~states.ongoing("FILL"))
            with m.State("FILL"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [read.eq(0), zero.eq(self.i.p.data == 0), last.eq(self.i.p.last)]
                with m.If(self.i.valid):
                    with m.If(self.i.p.data != 0):
                        m.d.comb += ram.w_en.eq(1)
                        m.d.sync += written.eq(written + 1)
                    with m.If((self.i.p.data == 0) | self.i.p.last | (written == LONGEST_BLOCK - 1)):
                        m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(written + 1)]
                m.d.sync += waiting.eq(ram.latency)
                with m.If(self.o.ready):
                    m.next = "BYTES"
                    self._end_of_block(m, written == 0, written, zero, last)
            with m.State("BYTES"):
                m.d.comb += [self.o.valid.eq(waiting == 0), self.o.payload.eq(ram.r_data)]
                with m.If(waiting != 0):
                    m.d.sync += waiting.eq(waiting - 1)
                with m.Elif(self.o.ready):
                    m.d.sync += [read.eq(read + 1), waiting.eq(ram.latency)]
                    self._end_of_block(m, read + 1 == written, written, zero, last)
            with m.State("DELIMITER"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "FILL"
        return m

    @staticmethod
    def _end_of_block(m: Module, ended, written: Signal, zero: Signal, last: Signal) -> None:
        """What follows a block: its packet's next bytes, an empty block, or the delimiter."""
        with m.If(ended):
            m.d.sync += [written.eq(0), zero.eq(0)]
            with m.If(~last):
                m.next = "FILL"
            with m.Elif(zero):
                m.next = "LENGTH"
            with m.Else():
                m.next = "DELIMITER"
