"""The array of the engine: words of the map, weights, products, sums."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from ..family import GENERIC, Family
from ..primitives import Multipliers
from .latencies import Latencies
from .parameters import EngineParameters
from .sequence import slot_layout

ELEMENT = signed(8)


class LaneWord(Component):
    """A word of the map for one pixel, which moves on by an element a step: DENSE multiplies the lowest.

    Latency 1. Members: load, word: ``In``; step: ``In(1)``; elements: ``Out(ArrayLayout(signed(8), channels))``.
    """

    def __init__(self, parameters: EngineParameters, step: int = 1):
        self.elements_of_step = step
        layout = ArrayLayout(ELEMENT, parameters.channels)
        super().__init__({"load": In(1), "word": In(layout), "step": In(1), "elements": Out(layout)})

    def elaborate(self, platform) -> Module:
        m = Module()
        held = Signal(len(self.word.as_value()), reset_less=True)
        with m.If(self.load | self.step):
            m.d.sync += held.eq(Mux(self.load, self.word.as_value(), held[8 * self.elements_of_step :]))
        m.d.comb += self.elements.as_value().eq(held)
        return m


class Array(Component):
    """``channels`` × ``pixels`` multipliers and accumulators, a skewed array: pixel lane q does everything q cycles
    after lane 0, so that one word of the map memory is read a cycle, and weights pass from lane to lane.

    A word and the weights come together with their slot. A sum is whole in ``sums`` of lane q when ``ends[q]`` is high,
    ``latency`` + q cycles after the slot of its last element, and stays for that cycle at least.

    latency: 1 (word) + T (multipliers) + 1 (accumulator). Cost: the multipliers; for each an adder and a register; a
    word of the map and a word of weights for each pixel lane.

    Args:
        parameters: of the engine.
        family: of FPGAs, whose multipliers' latency is T.

    Members:
        slot: ``In`` of :func:`~mbconv.hdl.engine.sequence.slot_layout`, with the word that it read.
        word: ``In(ArrayLayout(signed(8), channels))``, of the map.
        fill: ``In(signed(8))``, what lies outside.
        weights: ``In(ArrayLayout(signed(weight_bits), channels))``
        depthwise: ``In(1)``: lane 0 multiplies an element for each channel, all others nothing.
        greatest: ``In(1)``: a sum of lane 0 is the greatest product.
        sums: ``Out(ArrayLayout(ArrayLayout(signed(lane_bits), channels), pixels))``
        ends: ``Out(pixels)``
    """

    memory_bits = 0

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters, self.family = parameters, family
        p = parameters
        super().__init__(
            {
                "slot": In(slot_layout(p)),
                "word": In(ArrayLayout(ELEMENT, p.channels)),
                "fill": In(ELEMENT),
                "weights": In(ArrayLayout(signed(p.weight_bits), p.channels)),
                "depthwise": In(1),
                "greatest": In(1),
                "sums": Out(ArrayLayout(ArrayLayout(signed(p.lane_bits), p.channels), p.pixels)),
                "ends": Out(p.pixels),
            }
        )

    @property
    def multipliers(self) -> int:
        return self.parameters.lanes

    @property
    def latency(self) -> int:
        return Latencies(self.parameters, self.family).array

    def elaborate(self, platform) -> Module:
        m = Module()
        p = self.parameters
        word = Signal(self.word.shape())
        m.d.comb += word.as_value().eq(Mux(self.slot.outside, self.fill.replicate(p.channels), self.word.as_value()))
        marks_layout = StructLayout({name: unsigned(1) for name in ("step", "first", "last")})
        marks = Signal(marks_layout)
        now = Cat(self.slot[name] for name in marks_layout.members)
        m.d.sync += marks.eq(now)
        step = self.slot.step
        weights: Value = self.weights.as_value()
        for q in range(p.pixels):
            m.submodules[f"word_{q}"] = lane = LaneWord(p)
            m.submodules[f"multiply_{q}"] = multiply = Multipliers(
                p.channels, ELEMENT, signed(p.weight_bits), a_count=1 if q else p.channels, family=self.family
            )
            passed = Signal(len(weights), name=f"weights_{q}", reset_less=True)
            m.d.sync += passed.eq(weights)
            weights = passed
            if q:
                later = Signal(marks_layout, name=f"marks_{q}")
                m.d.sync += later.eq(marks)
                marks = later
            m.d.comb += [
                lane.load.eq(self.slot.load & (self.slot.lane == q)),
                lane.word.eq(word),
                lane.step.eq(step),
                multiply.b.as_value().eq(weights),
            ]
            for g in range(1 if q else p.channels):
                element = lane.elements[g]
                m.d.comb += multiply.a[g].eq(element if g == 0 else Mux(self.depthwise, element, lane.elements[0]))
            step = marks.step
            self._accumulate(m, q, marks, multiply)
        return m

    def _accumulate(self, m: Module, q: int, marks: Signal, multiply: Multipliers) -> None:
        """The sums of a pixel lane; ``marks`` come with its operands."""
        p = self.parameters
        latency = self.family.multiplier_latency
        step = delayed(m, marks.step, latency, f"step_{q}", reset=True)
        first = delayed(m, marks.first, latency, f"first_{q}")
        ends = Signal(name=f"ends_{q}")
        last = delayed(m, marks.last, latency, f"last_{q}", reset=True)
        m.d.sync += ends.eq(step & last & (1 if q == 0 else ~self.depthwise))
        m.d.comb += self.ends[q].eq(ends)
        for g in range(p.channels):
            total = Signal(signed(p.lane_bits), name=f"sum_{q}_{g}", reset_less=True)
            product = multiply.p[g]
            fresh, stays = first, Const(0)
            if q == 0:  # pooling takes one pixel at a time; its weights are 1, its products elements
                fresh = first | self.greatest
                stays = self.greatest & ~first & (total[:9].as_signed() > product[:9].as_signed())
            # in this form a table of four inputs holds the choice beside its bit of the adder
            with m.If(step & ~stays):
                m.d.sync += total.eq(Mux(fresh, product, total + product))
            m.d.comb += self.sums[q][g].eq(total)
