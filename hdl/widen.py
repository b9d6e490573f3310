"""From few lanes to many: the beats of a pixel collected into words."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Shape, ShapeLike, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import NOTHING, Cost
from .counting import advance
from .layouts import ArrayLayout


class Widen(Component):
    """Collects ``lanes_out/lanes_in`` beats into one; the last word of a pixel holds the beats that remain.

    A word is valid ``latency`` = 1 cycle after its last beat is taken (0 where the lanes are equal: wires). A beat is
    taken in each cycle, except while a finished word waits.

    Cycles per pixel: ⌈channels/lanes_in⌉. Cost: one register of a word.

    Args:
        shape: of an element.
        channels: of a pixel.
        lanes_in, lanes_out: the first divides the second.

    Members:
        i: ``In(stream.Signature(ArrayLayout(shape, lanes_in)))``
        o: ``Out(stream.Signature(ArrayLayout(shape, lanes_out)))``; lanes beyond those collected hold anything

    Raises:
        ValueError: a count below 1, or lanes that do not divide.
    """

    multipliers = 0
    memory_bits = 0

    def __init__(self, shape: ShapeLike, channels: int, lanes_in: int, lanes_out: int):
        if channels < 1:
            raise ValueError(f"a pixel has at least one channel, not {channels}")
        if lanes_in < 1 or lanes_out < lanes_in or lanes_out % lanes_in:
            raise ValueError(f"{lanes_in} lanes do not divide the {lanes_out} lanes to be collected")
        self.shape, self.channels, self.lanes_in, self.lanes_out = shape, channels, lanes_in, lanes_out
        super().__init__(
            {
                "i": In(Signature(ArrayLayout(shape, lanes_in))),
                "o": Out(Signature(ArrayLayout(shape, lanes_out))),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from taking a word's last beat to the word."""
        return int(self.lanes_in != self.lanes_out)

    @property
    def cycles_per_pixel(self) -> int:
        return -(-self.channels // self.lanes_in)

    @property
    def own_cost(self) -> Cost:
        """A selection for each bit of a word, and a counter."""
        if self.lanes_in == self.lanes_out:
            return NOTHING
        return Cost(self.lanes_out * Shape.cast(self.shape).width + 15)

    def elaborate(self, platform) -> Module:
        m = Module()
        if self.lanes_in == self.lanes_out:
            connect(m, flipped(self.i), flipped(self.o))
            return m
        pieces = self.lanes_out // self.lanes_in
        piece = Signal(range(pieces))
        ends = Signal()
        word, full = Signal(self.o.payload.shape(), reset_less=True), Signal()
        m.d.comb += [
            self.i.ready.eq(~full | self.o.ready),
            self.o.valid.eq(full),
            self.o.payload.eq(word),
            ends.eq(piece == self._last_piece(m, ends)),
        ]
        with m.If(self.i.ready):
            m.d.sync += full.eq(self.i.valid & ends)
        # What is not taken is overwritten by the beat that is: the place depends on a register only.
        with m.If(self.i.ready):
            width = Shape.cast(self.shape).width * self.lanes_in
            m.d.sync += word.as_value().word_select(piece, width).eq(self.i.payload.as_value())
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += piece.eq(Mux(ends, 0, piece + 1))
        return m

    def _last_piece(self, m: Module, ends: Signal):
        """The place of a word's last piece: the last word of a pixel may have fewer than the others."""
        pieces = self.lanes_out // self.lanes_in
        words = -(-self.cycles_per_pixel // pieces)
        last = self.cycles_per_pixel - (words - 1) * pieces
        if last == pieces or words == 1:
            return min(last, pieces) - 1
        index = Signal(range(words))
        with m.If(self.i.valid & self.i.ready & ends):
            advance(m, index, words)
        return Mux(index == words - 1, last - 1, pieces - 1)
