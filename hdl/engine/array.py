"""The array of the engine: elements, weights, products, sums."""

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
from .words import ELEMENT


class Array(Component):
    """``channels`` × ``pixels`` multipliers and accumulators, a skewed array: pixel lane q does everything q cycles
    after lane 0, so that one word of the map memory is read a cycle, and weights pass from lane to lane.

    The elements come a cycle after their slot (:class:`~mbconv.hdl.engine.words.Words`); the weights do so, too, or
    together with the slot where several rows of pixels take them at once (``weights_delay``). A sum is whole in
    ``sums`` of lane q when ``ends[q]`` is high,
    ``latency`` + q cycles after the slot of its last element, and stays for that cycle at least.

    latency: 1 (word) + T (multipliers) + 1 (accumulator), 1 more with ``spare_registers`` = 2. Cost: the multipliers;
    for each an adder and a register; a word of weights for each pixel lane.

    Args:
        parameters: of the engine.
        family: of FPGAs, whose multipliers' latency is T.

    Members:
        slot: ``In`` of :func:`~mbconv.hdl.engine.sequence.slot_layout`.
        elements, outside, own: ``In``, those of ``Words`` for each pixel lane.
        fill: ``In(signed(8))``, what lies outside.
        weights: ``In(ArrayLayout(signed(weight_bits), channels))``
        depthwise: ``In(1)``: lanes multiply an element for each channel: those of a row of ``depthwise_columns`` all
            that of its first lane, each a cycle after the one before, as the columns of a row are those of the next
            pixel a column later. Every row of lanes begins at once, or with ``one_row``: ``In(1)``, behind the one
            before, on the same word. Lanes beyond ``depthwise_rows`` do nothing.
        greatest: ``In(1)``, with ``maxima``: a sum of lane 0 is the greatest product.
        sums: ``Out(ArrayLayout(ArrayLayout(signed(lane_bits), channels), pixels))``
        ends, ending: ``Out(pixels)``, the second a cycle before.
    """

    memory_bits = 0

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters, self.family = parameters, family
        p = parameters
        super().__init__(
            {
                "slot": In(slot_layout(p)),
                "elements": In(ArrayLayout(ArrayLayout(ELEMENT, p.channels), p.pixels)),
                "outside": In(p.pixels),
                "own": In(p.pixels),
                "fill": In(ELEMENT),
                "weights": In(ArrayLayout(signed(p.weight_bits), p.channels)),
                "depthwise": In(1),
                "one_row": In(1),
                "greatest": In(1),
                "sums": Out(ArrayLayout(ArrayLayout(signed(p.lane_bits), p.channels), p.pixels)),
                "ends": Out(p.pixels),
                "ending": Out(p.pixels),
            }
        )

    @property
    def multipliers(self) -> int:
        return self.parameters.lanes

    @property
    def latency(self) -> int:
        return Latencies(self.parameters, self.family).array

    @property
    def weights_delay(self) -> int:
        """Cycles from a slot to its weights."""
        return int(self.parameters.depthwise_rows == 1)

    def elaborate(self, platform) -> Module:
        m = Module()
        p, spare = self.parameters, self.parameters.further_spares
        marks_layout = StructLayout({name: unsigned(1) for name in ("step", "first", "last")})
        now = Cat(self.slot[name] for name in marks_layout.members)
        marks: Value = now
        weights: Value = self.weights.as_value()
        for q in range(p.pixels):
            in_depthwise = q < p.depthwise_lanes
            multiply = Multipliers(
                p.channels,
                ELEMENT,
                signed(p.weight_bits),
                a_count=p.channels if in_depthwise else 1,
                family=self.family,
            )
            m.submodules[f"multiply_{q}"] = multiply
            passed = Signal(len(weights), name=f"weights_{q}", reset_less=True)
            later = Signal(marks_layout, name=f"marks_{q}")
            if q and in_depthwise and not q % p.depthwise_columns:
                # what stands throughout an instruction comes behind those of Words, from row to row
                rows = spare * (p.depthwise_rows + q // p.depthwise_columns)
                apart = delayed(m, self.depthwise & ~self.one_row, rows, f"apart_{q}")
                weights = Mux(apart, self.weights.as_value(), weights)
                marks = Mux(apart, now, marks)
            m.d.sync += [passed.eq(weights), later.as_value().eq(marks)]
            if q or not self.weights_delay:
                weights = passed
            marks = later.as_value()
            m.d.comb += multiply.b.as_value().eq(delayed(m, weights, spare, f"near_weights_{q}"))
            elements, outside = self.elements[q], self.outside[q]
            leader = q - q % p.depthwise_columns  # the lane whose word DEPTHWISE takes
            shared, own = Signal(ELEMENT, name=f"shared_{q}"), Signal(name=f"own_{q}")
            alone = outside if leader == q or not in_depthwise else self.depthwise | outside
            m.d.comb += [shared.eq(Mux(alone, self.fill, elements[0])), own.eq(self.own[leader])]
            for g in range(p.channels if in_depthwise else 1):
                plain = shared if g == 0 and leader == q else Mux(own, self.elements[leader][g], shared)
                near = delayed(m, plain if in_depthwise else shared, spare, f"near_element_{q}_{g}")
                m.d.comb += multiply.a[g].eq(near)
            self._accumulate(m, q, later, multiply)
        return m

    def _accumulate(self, m: Module, q: int, marks: Signal, multiply: Multipliers) -> None:
        """The sums of a pixel lane; ``marks`` come with its operands."""
        p = self.parameters
        latency = self.family.multiplier_latency + p.further_spares
        step = delayed(m, marks.step, latency, f"step_{q}", reset=True)
        first = delayed(m, marks.first, latency, f"first_{q}")
        ends = Signal(name=f"ends_{q}")
        last = delayed(m, marks.last, latency, f"last_{q}", reset=True)
        m.d.comb += self.ending[q].eq(step & last & (1 if q < p.depthwise_lanes else ~self.depthwise))
        m.d.sync += ends.eq(self.ending[q])
        m.d.comb += self.ends[q].eq(ends)
        for g in range(p.channels):
            total = Signal(signed(p.lane_bits), name=f"sum_{q}_{g}", reset_less=True)
            product = multiply.p[g]
            fresh, stays = first, Const(0)
            if q == 0 and p.maxima:  # pooling takes one pixel at a time; its weights are 1, its products elements
                fresh = first | self.greatest
                stays = self.greatest & ~first & (total[:9].as_signed() > product[:9].as_signed())
            # in this form a table of four inputs holds the choice beside its bit of the adder
            with m.If(step & ~stays):
                m.d.sync += total.eq(Mux(fresh, product, total + product))
            m.d.comb += self.sums[q][g].eq(total)
