"""A place between two elements, of each lane."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Shape, ShapeLike, Signal, unsigned
from amaranth.lib.wiring import Component, In, Out

from .cost import Cost
from .counting import delayed
from .family import GENERIC, Family
from .layouts import ArrayLayout
from .primitives import Multipliers
from .value_tables import value_range


class Interpolate(Component):
    """``newest`` · (2^bits − weight) + ``before`` · weight of each lane, exact: ``bits`` bits more than an element.

    ::

        before ─►┌───┐   ┌───┐
                 │ − ├──►│ · ├──► + ──► o
        newest ─►└─┬─┘   └─▲─┘     ▲
                   │ weight┘       │
                   └───────────────┘

    Where the weight is 0 ``before`` is not looked at. A result for the elements of each cycle. Latency: 2 and the
    product's; none, and wires, with no bits.
    Cost: no multiplier of a plan; a product for each lane in rows of adders, a difference and a sum.

    Args:
        shape: of an element.
        lanes: of them.
        bits: of the weight.

    Members:
        newest, before: ``In(ArrayLayout(shape, lanes))``; weight: ``In(bits)``, in parts of 2^bits
        o: ``Out(ArrayLayout(between, lanes))``
    """

    multipliers = 0
    memory_bits = 0
    cycles_per_beat = 1

    def __init__(self, shape: ShapeLike, lanes: int, bits: int, *, family: Family = GENERIC):
        self.shape, self.lanes, self.bits = Shape.cast(shape), lanes, bits
        low, high = value_range(self.shape)
        self.between = Shape.cast(range(low << bits, (high << bits) + 1))
        difference = Shape.cast(range(low - high, high - low + 1))
        self.products = None
        if bits:
            self.products = Multipliers(
                lanes, unsigned(bits), difference, a_count=1, dsp_count=0, of_array=False, family=family
            )
        super().__init__(
            {
                "newest": In(ArrayLayout(self.shape, lanes)),
                "before": In(ArrayLayout(self.shape, lanes)),
                "weight": In(bits),
                "o": Out(ArrayLayout(self.between, lanes)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the elements to what lies between."""
        return 2 + self.products.latency if self.products is not None else 0

    @property
    def own_cost(self) -> Cost:
        """A difference and a sum for each lane."""
        if self.products is None:
            return Cost()
        return Cost(self.lanes * (self.shape.width + 1 + self.between.width))

    def elaborate(self, platform) -> Module:
        m = Module()
        if self.products is None:
            m.d.comb += self.o.eq(self.newest)
            return m
        m.submodules.products = products = self.products
        weight = Signal.like(self.weight, reset_less=True)
        m.d.sync += weight.eq(self.weight)
        m.d.comb += products.a[0].eq(weight)
        for lane in range(self.lanes):
            newest, before = self.newest[lane], self.before[lane]
            difference = Signal(products.b_shape, name=f"difference_{lane}", reset_less=True)
            m.d.sync += difference.eq(Mux(self.weight == 0, 0, before - newest))
            m.d.comb += products.b[lane].eq(difference)
            later = delayed(m, newest, 1 + products.latency, f"newest_{lane}")
            total = Signal(self.between, name=f"total_{lane}", reset_less=True)
            m.d.sync += total.eq((later << self.bits) + products.p[lane])
            m.d.comb += self.o[lane].eq(total)
        return m
