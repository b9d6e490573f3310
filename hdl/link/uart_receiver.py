"""From the line of a UART to bytes."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..cost import Cost
from .baud import BitLength


def bit_timer(m: Module, left: Signal, bit: BitLength, running) -> Signal:
    """A tick for every bit: ``left`` falls by the ratio's denominator each cycle and gains its numerator at a tick."""
    numerator, denominator = bit.ratio.as_integer_ratio()
    tick = Signal()
    m.d.comb += tick.eq(running & left[-1])
    with m.If(running):
        m.d.sync += left.eq(left + Mux(left[-1], numerator - denominator, -denominator))
    return tick


def bit_counter(bit: BitLength) -> Signal:
    """The counter of :func:`bit_timer`: negative when a bit is over."""
    numerator, denominator = bit.ratio.as_integer_ratio()
    return Signal(range(-denominator, numerator), name="left")


class UartReceiver(Component):
    """Eight data bits, no parity, one stop bit.

    The line passes two registers. A falling edge is a start bit if the line is still low half a bit later; from there
    every bit is sampled in its middle, to a cycle. A byte whose stop bit is low is dropped, and ``error`` is high for a
    cycle; so it is for a byte that was not taken within a bit of its end, when the next one begins.

    Cycles per byte: 10 bits. ``latency``: a byte is valid from the middle of its stop bit, 2 to 4 cycles for the
    registers later. Cost: a shift register of 9 bits, the bit's counter, 6 registers.

    Args:
        bit: the length of a bit.

    Members:
        rx: ``In(1)``, high when idle, asynchronous
        o: ``Out(stream.Signature(8))``
        error: ``Out(1)``
    """

    def __init__(self, bit: BitLength):
        self.bit = bit
        super().__init__({"rx": In(1), "o": Out(Signature(8)), "error": Out(1)})

    @property
    def own_cost(self) -> Cost:
        """The bit's counter and what it begins with, the shift register, control."""
        return Cost(2 * len(bit_counter(self.bit)) + 21)

    def elaborate(self, platform) -> Module:
        m = Module()
        line, before = Signal(init=1), Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, line, init=1)
        m.d.sync += before.eq(line)

        numerator, denominator = self.bit.ratio.as_integer_ratio()
        starting, receiving = Signal(), Signal()
        left = bit_counter(self.bit)
        tick = bit_timer(m, left, self.bit, starting | receiving)
        bits = Signal(9)  # the byte's bits from above; a 1 goes before them and is lowest when they are complete
        full = Signal()
        m.d.comb += [self.o.valid.eq(full), self.o.payload.eq(bits[1:])]
        with m.If(self.o.ready):
            m.d.sync += full.eq(0)
        with m.If(~starting & ~receiving):
            m.d.sync += [starting.eq(before & ~line), left.eq(numerator // 2 - 2 * denominator)]
        with m.If(tick):
            m.d.sync += starting.eq(0)
            with m.If(starting):
                m.d.sync += receiving.eq(~line)
                with m.If(~line):
                    m.d.sync += [bits.eq(1 << 8), full.eq(0)]
                    m.d.comb += self.error.eq(full & ~self.o.ready)
            with m.Elif(bits[0]):
                m.d.sync += [receiving.eq(0), full.eq(line)]
                m.d.comb += self.error.eq(~line)
            with m.Else():
                m.d.sync += bits.eq(bits >> 1 | line << 8)
        return m
