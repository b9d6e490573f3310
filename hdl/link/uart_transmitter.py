"""From bytes to the line of a UART."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..cost import Cost
from .baud import BitLength
from .uart_receiver import bit_counter, bit_timer


class UartTransmitter(Component):
    """Eight data bits, no parity, one stop bit.

    Cycles per byte: 10 bits and one cycle. ``latency`` 2: from the acceptance of a byte to the fall of the line. Cost:
    a shift register of 10 bits, the bit's counter, one register.

    Args:
        bit: the length of a bit.

    Members:
        i: ``In(stream.Signature(8))``, ready when the last byte's stop bit is over
        tx: ``Out(1)``, high when idle, from a register
    """

    latency = 2

    def __init__(self, bit: BitLength):
        self.bit = bit
        super().__init__({"i": In(Signature(8)), "tx": Out(1, init=1)})

    @property
    def own_cost(self) -> Cost:
        """The bit's counter and what it begins with, the shift register, control."""
        return Cost(2 * len(bit_counter(self.bit)) + 17)

    def elaborate(self, platform) -> Module:
        m = Module()
        numerator, denominator = self.bit.ratio.as_integer_ratio()
        bits = Signal(10)  # what is to be sent, the stop bit highest; 0 when idle
        busy = Signal()
        left = bit_counter(self.bit)
        tick = bit_timer(m, left, self.bit, busy)
        m.d.comb += [busy.eq(bits.any()), self.i.ready.eq(~busy)]
        m.d.sync += self.tx.eq(bits[0] | ~busy)
        with m.If(tick):
            m.d.sync += bits.eq(bits >> 1)
        with m.If(self.i.valid & ~busy):
            m.d.sync += [bits.eq(Cat(Const(0, 1), self.i.payload, Const(1, 1))), left.eq(numerator - 2 * denominator)]
        return m
