"""Packets over a UART's two pins."""

from __future__ import annotations

from itertools import pairwise

from amaranth.hdl import Module
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from ..cost import NOTHING
from ..family import GENERIC, Family
from .baud import BitLength
from .cobs_decoder import DECODED, CobsDecoder
from .cobs_encoder import PACKET, CobsEncoder
from .stream_register import StreamRegister
from .uart_receiver import UartReceiver
from .uart_transmitter import UartTransmitter


class PacketLine(Component):
    """Brings the packets of a line to a server, and the server's to the line.

    ::

        rx ──► UartReceiver ──► CobsDecoder ──► StreamRegister ──► o
        tx ◄── UartTransmitter ◄── CobsEncoder ◄── StreamRegister ◄── i

    The registers let the server lie anywhere: no path leads from the line through it.

    Cycles: a byte leaves ``o`` a cycle after the decoder gave it; one of ``i`` goes out behind its block, see
    :class:`.cobs_encoder.CobsEncoder`. Cost: that of the parts, see ``docs/circuits/link.md``; no multiplier.

    Args:
        bit: the length of a bit, from the clock and the rate.
        family: of FPGAs.

    Members:
        rx: ``In(1)``, tx: ``Out(1)``, both high when idle
        o: ``Out(stream.Signature(DECODED))``, i: ``In(stream.Signature(PACKET))``
        damaged: ``Out(1)``, a byte was lost or wrong
        busy: ``Out(1)``, a byte waits in either direction, or leaves
    """

    own_cost = NOTHING

    def __init__(self, bit: BitLength, *, family: Family = GENERIC):
        self.bit = bit
        self.receiver, self.transmitter = UartReceiver(bit), UartTransmitter(bit)
        self.decoder, self.encoder = CobsDecoder(), CobsEncoder(family=family)
        self.request, self.reply = StreamRegister(DECODED), StreamRegister(PACKET)
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "o": Out(Signature(DECODED)),
                "i": In(Signature(PACKET)),
                "damaged": Out(1),
                "busy": Out(1),
            }
        )

    @property
    def memory_bits(self) -> int:
        return self.encoder.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        chains = (("receiver", "decoder", "request"), ("reply", "encoder", "transmitter"))
        for name in chains[0] + chains[1]:
            m.submodules[name] = getattr(self, name)
        for chain in chains:
            for before, behind in pairwise(chain):
                connect(m, getattr(self, before).o, getattr(self, behind).i)
        connect(m, self.request.o, flipped(self.o))
        connect(m, flipped(self.i), self.reply.i)
        m.d.comb += [
            self.receiver.rx.eq(self.rx),
            self.tx.eq(self.transmitter.tx),
            self.damaged.eq(self.receiver.error),
            self.busy.eq(self.request.o.valid | self.reply.o.valid | self.encoder.busy | ~self.transmitter.i.ready),
        ]
        return m
