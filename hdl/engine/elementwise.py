"""Operators of one or two elements: tables of the elements' values, added; or multiplied, or compared."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from ..family import GENERIC, Family
from ..primitives import Multipliers, Ram, address_width
from .latencies import Latencies
from .parameters import OPERAND_BITS, EngineParameters
from .words import ELEMENT


class Elementwise(Component):
    """``requantizers`` elements a step of one word of the map, or of two, looked up and added; with ``products`` also
    multiplied, or the greater one.

    The sums of a step's elements are in ``sums`` ``latency`` cycles after their slot: 2 (the second operand's word
    comes a cycle after the first's) + M (tables) + 1 (sum); with ``products`` the multipliers' latency and 1 (choice)
    in place of the sum's 1.

    Cost: 2 · requantizers memories of tables · 256 words of ``table_bits``; with ``products`` as many multipliers, and
    a comparison and a selection for each.

    Members:
        elements: ``In``, those of the first two lanes of :class:`~mbconv.hdl.engine.words.Words`.
        binary, product, greatest: ``In(1)``; table: ``In``, of the instruction.
        sums: ``Out(ArrayLayout(signed(pair_bits), requantizers))``
        write_first, write_second: ``In(1)``; write_address: ``In``; write_data: ``In``, of either side: contents of the
            tables.
    """

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters, self.family = parameters, family
        p = parameters
        shape, words = signed(p.table_bits), p.tables * 256
        self.tables = [[Ram(shape, words, family=family) for _ in range(p.requantizers)] for _ in range(2)]
        operand = signed(OPERAND_BITS)
        self.multiply = (
            Multipliers(p.requantizers, operand, operand, of_array=False, family=family) if p.products else None
        )
        super().__init__(
            {
                "elements": In(ArrayLayout(ArrayLayout(ELEMENT, p.channels), 2)),
                "binary": In(1),
                "product": In(1),
                "greatest": In(1),
                "table": In(address_width(p.tables)),
                "sums": Out(ArrayLayout(signed(p.pair_bits), p.requantizers)),
                "write_first": In(1),
                "write_second": In(1),
                "write_address": In(address_width(words)),
                "write_data": In(ArrayLayout(p.table_bits, 2)),
            }
        )

    @property
    def multipliers(self) -> int:
        return 0 if self.multiply is None else self.multiply.count

    @property
    def memory_bits(self) -> int:
        return sum(ram.memory_bits for side in self.tables for ram in side)

    @property
    def latency(self) -> int:
        return Latencies(self.parameters, self.family).elementwise

    def elaborate(self, platform) -> Module:
        m = Module()
        p = self.parameters
        further = p.further_spares
        enables = [
            delayed(m, write, further, f"write_{side}", reset=True)
            for side, write in enumerate((self.write_first, self.write_second))
        ]
        place = delayed(m, self.write_address, further, "place")
        data = [delayed(m, written, further, f"data_{side}") for side, written in enumerate(self.write_data)]
        for side, rams in enumerate(self.tables):
            for r, ram in enumerate(rams):
                m.submodules[f"table_{side}_{r}"] = ram
                value = self.elements[side][r]
                address = Cat(value[:7], ~value[7], self.table)[: len(ram.r_addr)]
                m.d.comb += [
                    ram.w_en.eq(enables[side]),
                    ram.w_addr.eq(place),
                    ram.w_data.eq(data[side]),
                ]
                if side:
                    m.d.comb += ram.r_addr.eq(address)
                else:
                    m.d.sync += ram.r_addr.eq(address)
        if self.multiply is not None:
            m.submodules.multiply = self.multiply
        for r in range(p.requantizers):
            first, second = (rams[r].r_data for rams in self.tables)
            total = Signal(signed(p.table_bits + 1), name=f"sum_{r}", reset_less=True)
            m.d.sync += total.eq(first + Mux(self.binary, second, 0))
            m.d.comb += self.sums[r].eq(total if self.multiply is None else self._chosen(m, r, first, second, total))
        return m

    def _chosen(self, m: Module, r: int, first: Value, second: Value, total: Signal) -> Signal:
        """The product of two entries, their sum, or the greater of them, in the cycle after the product."""
        multiply = self.multiply
        m.d.comb += [multiply.a[r].eq(first), multiply.b[r].eq(second)]
        less = Signal(name=f"less_{r}", reset_less=True)
        m.d.sync += less.eq(first < second)
        first, second = (delayed(m, entry, 1, f"{name}_{r}") for name, entry in (("first", first), ("second", second)))
        added = Signal.like(total, name=f"added_{r}", reset_less=True)
        m.d.sync += added.eq(Mux(self.greatest, Mux(less, second, first), total))
        added = delayed(m, added, multiply.latency - 2, f"added_{r}")
        chosen = Signal(signed(self.parameters.pair_bits), name=f"chosen_{r}", reset_less=True)
        m.d.sync += chosen.eq(Mux(self.product, multiply.p[r], added))
        return chosen
