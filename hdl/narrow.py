"""From many lanes to few: the words of a pixel given out in beats."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Shape, ShapeLike, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import NOTHING, Cost
from .counting import advance
from .layouts import ArrayLayout


class Narrow(Component):
    """Gives each word out in ``lanes_in/lanes_out`` beats, lane 0 first; a pixel's last in those that hold a channel.

    A word's first beat is valid ``latency`` = 1 cycle after the word is taken (0 where the lanes are equal: wires).
    A beat leaves in each cycle, across words, pixels and frames.

    Cycles per pixel: ⌈channels/lanes_out⌉. Cost: one register of a word.

    Args:
        shape: of an element.
        channels: of a pixel.
        lanes_in, lanes_out: the second divides the first.

    Members:
        i: ``In(stream.Signature(ArrayLayout(shape, lanes_in)))``
        o: ``Out(stream.Signature(ArrayLayout(shape, lanes_out)))``

    Raises:
        ValueError: a count below 1, or lanes that do not divide.
    """

    multipliers = 0
    memory_bits = 0

    def __init__(self, shape: ShapeLike, channels: int, lanes_in: int, lanes_out: int):
        if channels < 1:
            raise ValueError(f"a pixel has at least one channel, not {channels}")
        if lanes_out < 1 or lanes_in < lanes_out or lanes_in % lanes_out:
            raise ValueError(f"{lanes_out} lanes do not divide the {lanes_in} lanes to be given out")
        self.shape, self.channels, self.lanes_in, self.lanes_out = shape, channels, lanes_in, lanes_out
        super().__init__(
            {
                "i": In(Signature(ArrayLayout(shape, lanes_in))),
                "o": Out(Signature(ArrayLayout(shape, lanes_out))),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from taking a word to its first beat."""
        return int(self.lanes_in != self.lanes_out)

    @property
    def cycles_per_pixel(self) -> int:
        return -(-self.channels // self.lanes_out)

    @property
    def own_cost(self) -> Cost:
        """A selection for each bit of a word, and a counter."""
        if self.lanes_in == self.lanes_out:
            return NOTHING
        return Cost(self.lanes_in * Shape.cast(self.shape).width + 15)

    def elaborate(self, platform) -> Module:
        m = Module()
        if self.lanes_in == self.lanes_out:
            connect(m, flipped(self.i), flipped(self.o))
            return m
        pieces = self.lanes_in // self.lanes_out
        words = -(-self.channels // self.lanes_in)
        last_pieces = self.cycles_per_pixel - (words - 1) * pieces
        word = Signal(self.i.payload.shape(), reset_less=True)
        left = Signal(range(pieces + 1))  # beats of the word that are still to go
        free = (left == 0) | ((left == 1) & self.o.ready)
        m.d.comb += [
            self.i.ready.eq(free),
            self.o.valid.eq(left != 0),
            self.o.payload.as_value().eq(word.as_value()),
        ]
        with m.If(self.o.valid & self.o.ready):
            width = Shape.cast(self.shape).width * self.lanes_out
            m.d.sync += [left.eq(left - 1), word.as_value().eq(word.as_value() >> width)]
        with m.If(self.i.valid & free):
            m.d.sync += [word.eq(self.i.payload), left.eq(pieces)]
            if last_pieces != pieces:
                index = Signal(range(words))
                advance(m, index, words)
                m.d.sync += left.eq(Mux(index == words - 1, last_pieces, pieces))
        return m
