"""Between lane counts that do not divide each other, and between beats padded for each pixel and beats without
padding."""

from __future__ import annotations

from math import gcd

from amaranth.hdl import Module, Mux, Shape, ShapeLike, Signal, Value
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import NOTHING, Cost
from .counting import advance
from .layouts import ArrayLayout
from .narrow import Narrow
from .widen import Widen


class Gearbox(Component):
    """Regroups elements from ``lanes_in`` to ``lanes_out`` a beat.

    ::

               ┌───────────────┐   ┌──────────────────┐
        i ────►│ shift up by   ├──►│ buffer of units, │
               │ units present │   │ shifts down by   ├──► o = its lowest units
               └───────────────┘   │ the units given  │
                                   └──────────────────┘

    A *run* of elements has no padding inside and a partial last beat: a pixel's channels, or all elements of a frame
    where a side is contiguous. Elements move in units of the lanes' greatest common divisor (and the channels', where
    the runs of the two sides differ). Where one lane count divides the other and the runs agree it is a
    :class:`~mbconv.hdl.widen.Widen` or :class:`~mbconv.hdl.narrow.Narrow`.

    Both sides move a beat in each cycle as far as the slower one allows, across pixels and frames; an output beat is
    valid ``latency`` = 1 cycle after the beat that completes it is taken (0 for equal beats: wires). While the sink is
    always ready no beat leaves later than it would from an unlimited buffer.

    Cycles per frame: the greater of both sides' beats. Cost: ``buffer_bits`` registers with a shifter in front.

    Args:
        shape: of an element.
        channels: of a pixel.
        lanes_in, lanes_out: of the streams.
        contiguous_in, contiguous_out: the elements of that side's frame follow each other without padding between
            pixels.
        pixels: of a frame; matters only where a side is contiguous.

    Members:
        i: ``In(stream.Signature(ArrayLayout(shape, lanes_in)))``
        o: ``Out(stream.Signature(ArrayLayout(shape, lanes_out)))``

    Raises:
        ValueError: a count below 1.
    """

    multipliers = 0
    memory_bits = 0

    def __init__(
        self,
        shape: ShapeLike,
        channels: int,
        lanes_in: int,
        lanes_out: int,
        *,
        contiguous_in: bool = False,
        contiguous_out: bool = False,
        pixels: int = 1,
    ):
        for name, value in (
            ("channels", channels),
            ("lanes_in", lanes_in),
            ("lanes_out", lanes_out),
            ("pixels", pixels),
        ):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        self.shape, self.channels, self.pixels = Shape.cast(shape), channels, pixels
        self.lanes_in, self.lanes_out = lanes_in, lanes_out
        self.run_in, self.run_out = self._runs(contiguous_in, contiguous_out)
        super().__init__(
            {
                "i": In(Signature(ArrayLayout(shape, lanes_in))),
                "o": Out(Signature(ArrayLayout(shape, lanes_out))),
            }
        )
        self.simple = None
        if self.run_in == self.run_out and lanes_out % lanes_in == 0:
            self.simple = Widen(shape, self.run_in, lanes_in, lanes_out)
        elif self.run_in == self.run_out and lanes_in % lanes_out == 0:
            self.simple = Narrow(shape, self.run_in, lanes_in, lanes_out)

    def _runs(self, contiguous_in: bool, contiguous_out: bool) -> tuple[int, int]:
        """Elements of a run on each side; a side whose lanes divide the channels has no padding and follows the
        other."""

        def run(lanes: int, contiguous: bool) -> int | None:
            if self.channels % lanes == 0:
                return None
            return self.channels * (self.pixels if contiguous else 1)

        run_in, run_out = run(self.lanes_in, contiguous_in), run(self.lanes_out, contiguous_out)
        run_in, run_out = run_in or run_out or self.channels, run_out or run_in or self.channels
        return run_in, run_out

    @property
    def unit(self) -> int:
        """Elements that always move together."""
        unit = gcd(self.lanes_in, self.lanes_out)
        return unit if self.run_in == self.run_out else gcd(unit, self.channels)

    @property
    def capacity(self) -> int:
        """Units of the buffer.

        Were every beat whole, larger + 2 · smaller − 1 units would do: an input that finds no room leaves enough for
        this cycle's output and the next one's. A partial beat may move one unit only, smaller − 1 fewer than that
        counts on. The tests count it out for all small parameters.
        """
        larger = max(self.lanes_in, self.lanes_out) // self.unit
        smaller = min(self.lanes_in, self.lanes_out) // self.unit
        return larger + 3 * smaller - 2

    @property
    def buffer_bits(self) -> int:
        if self.simple is None:
            return self.capacity * self.unit * self.shape.width
        return max(self.lanes_in, self.lanes_out) * self.shape.width * self.simple.latency

    @property
    def latency(self) -> int:
        return 1 if self.simple is None else self.simple.latency

    @property
    def cycles_per_frame(self) -> int:
        elements = self.channels * self.pixels
        return max(
            elements // run * -(-run // lanes)
            for run, lanes in ((self.run_in, self.lanes_in), (self.run_out, self.lanes_out))
        )

    @property
    def own_cost(self) -> Cost:
        """A shifter in front of the buffer."""
        return NOTHING if self.simple else Cost(self.buffer_bits * (self.capacity.bit_length() + 1))

    def elaborate(self, platform) -> Module:
        m = Module()
        if self.simple is not None:
            m.submodules.simple = self.simple
            connect(m, flipped(self.i), self.simple.i)
            connect(m, self.simple.o, flipped(self.o))
            return m
        level = Signal(range(self.capacity + 1))  # units in the buffer
        taken, given = self.i.valid & self.i.ready, self.o.valid & self.o.ready
        last_in, partial_in = self._position(m, "in", self.run_in, self.lanes_in, taken)
        last_out, partial_out = self._position(m, "out", self.run_out, self.lanes_out, given)
        whole_in, whole_out = self.lanes_in // self.unit, self.lanes_out // self.unit
        m.d.comb += [
            self.i.ready.eq((level <= self.capacity - whole_in) | (last_in & (level <= self.capacity - partial_in))),
            self.o.valid.eq((level >= whole_out) | (last_out & (level >= partial_out))),
        ]
        coming, going = Mux(last_in, partial_in, whole_in), Mux(last_out, partial_out, whole_out)
        m.d.sync += level.eq(level + Mux(taken, coming, 0) - Mux(given, going, 0))

        width = self.unit * self.shape.width
        buffer = Signal(self.capacity * width, reset_less=True)
        filled = self._filled(m, buffer, level)
        # A partial beat's empty lanes are 0: what stands there in the buffer changes when an input beat comes.
        m.d.comb += self.o.payload.as_value().eq(Mux(last_out, buffer[: partial_out * width], buffer))
        m.d.sync += buffer.eq(filled)
        with m.If(given):
            m.d.sync += buffer.eq(Mux(last_out, filled >> (partial_out * width), filled >> (whole_out * width)))
        return m

    def _position(self, m: Module, side: str, run: int, lanes: int, moved: Value) -> tuple[Value, int]:
        """Whether a side's present beat is the last of its run, and the units of that last beat."""
        beats = -(-run // lanes)
        beat = Signal(range(beats), name=f"beat_{side}")
        with m.If(moved):
            advance(m, beat, beats)
        return beat == beats - 1, -(-(run - (beats - 1) * lanes) // self.unit)

    def _filled(self, m: Module, buffer: Signal, level: Signal) -> Signal:
        """The buffer with the input beat above its level; a beat that is not taken is overwritten by the next.

        The shift depends on registers only: ``ready`` of the output enters after it.
        """
        width = self.unit * self.shape.width
        shifted: Value = self.i.payload.as_value()
        for bit in range(len(level)):
            shifted = Mux(level[bit], shifted << (width << bit), shifted)[: len(buffer)]
        incoming, filled = Signal.like(buffer), Signal.like(buffer)
        m.d.comb += incoming.eq(shifted)
        for slot in range(self.capacity):
            own = slice(slot * width, (slot + 1) * width)
            m.d.comb += filled[own].eq(Mux(level > slot, buffer[own], incoming[own]))
        return filled
