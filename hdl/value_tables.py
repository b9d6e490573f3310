"""A function of an element's value, the same in all lanes: a memory, or shifts and additions where it is linear."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Shape, ShapeLike, Signal, Value, signed
from amaranth.lib.wiring import Component, In, Out

from .cost import Cost, MemoryCost
from .family import GENERIC, Family
from .layouts import ArrayLayout
from .primitives import Rom
from .requantize_format import signed_bits

_TERMS_PER_STAGE = 4  # added between two registers: two adders deep


def value_range(shape: Shape) -> tuple[int, int]:
    """The least and greatest value of an element."""
    if shape.signed:
        return -(1 << (shape.width - 1)), (1 << (shape.width - 1)) - 1
    return 0, (1 << shape.width) - 1


def signed_digits(factor: int) -> list[tuple[int, int]]:
    """A factor as few signed powers of two, pairs of exponent and sign (non-adjacent form; G. W. Reitwiesner, 1960)."""
    digits = []
    exponent = 0
    while factor:
        if factor & 1:
            sign = 2 - (factor & 3)  # 1 or −1, so that the next digit is 0
            digits.append((exponent, sign))
            factor -= sign
        factor >>= 1
        exponent += 1
    return digits


def linear(table: Sequence[int]) -> tuple[int, int] | None:
    """Slope and first entry of a table that is a straight line; None for any other."""
    slope = table[1] - table[0]
    return (slope, table[0]) if all(y == table[0] + slope * n for n, y in enumerate(table)) else None


def line_adders(shape: Shape, slope: int, first: int) -> int:
    """Adders of a straight line over an element's values, in one lane; ``first`` is the least value's entry."""
    at_zero = first + slope * (1 << (shape.width - 1) if shape.signed else 0)
    terms = len(signed_digits(slope))
    return terms - 1 + int(at_zero != 0 or terms == 0)


class ValueTables(Component):
    """``y[lane]`` is the table's entry for ``x[lane]``, ``latency`` cycles later, the memory's; no enable, no reset.

    A straight line is computed: shifted copies of x added, four between two registers. Any other table is a
    :class:`~mbconv.hdl.primitives.Rom` for each lane. Cost: ``memory_bits``, or ``adders`` of ``bits`` bits.

    Args:
        shape: of an element, 2 to 16 bits.
        table: an entry for each value in ascending order.
        lanes: elements at once.
        name: of the memory file, ``<name>.hex``, where there is one.

    Members:
        x: ``In(ArrayLayout(shape, lanes))``
        y: ``Out(ArrayLayout(signed(bits), lanes))``

    Raises:
        ValueError: a table that has not one entry for each value, or no lane.
    """

    multipliers = 0
    cycles_per_beat = 1

    def __init__(self, shape: ShapeLike, table: Sequence[int], lanes: int, name: str, *, family: Family = GENERIC):
        self.shape = Shape.cast(shape)
        if not 2 <= self.shape.width <= 16:
            raise ValueError(f"an element has 2 to 16 bits, not {self.shape.width}")
        if len(table) != 1 << self.shape.width:
            raise ValueError(f"{self.shape} has {1 << self.shape.width} values, the table {name} {len(table)} entries")
        if lanes < 1:
            raise ValueError(f"at least one lane is looked up, not {lanes}")
        self.table, self.lanes, self.name, self.family = tuple(table), lanes, name, family
        self.latency = family.memory_latency
        self.least, self.greatest = min(table), max(table)
        self.bits = signed_bits(self.least, self.greatest)
        self.line = linear(self.table)
        super().__init__(
            {
                "x": In(ArrayLayout(self.shape, lanes)),
                "y": Out(ArrayLayout(signed(self.bits), lanes)),
            }
        )

    @property
    def memory_bits(self) -> int:
        return 0 if self.line else self.bits * len(self.table) * self.lanes

    @property
    def adders(self) -> int:
        """Adders of a straight line, in all lanes."""
        return line_adders(self.shape, *self.line) * self.lanes if self.line else 0

    def words(self) -> list[int]:
        """A memory's contents, addressed by an element's bits."""
        half = len(self.table) // 2 if self.shape.signed else 0
        by_bits = self.table[half:] + self.table[:half]
        return [entry & ((1 << self.bits) - 1) for entry in by_bits]

    @property
    def own_cost(self) -> Cost:
        """Adders of a straight line, or a memory for each lane."""
        if self.line:
            return Cost(self.adders * self.bits)
        return Cost(memories=(MemoryCost(self.bits, len(self.table), constant=True),) * self.lanes)

    def elaborate(self, platform) -> Module:
        m = Module()
        for lane in range(self.lanes):
            if self.line:
                m.d.comb += self.y[lane].eq(self._line(m, self.x[lane], lane))
            else:
                m.submodules[f"rom_{lane}"] = rom = Rom(self.words(), self.bits, self.name, family=self.family)
                m.d.comb += [rom.en.eq(1), rom.addr.eq(self.x[lane]), self.y[lane].eq(rom.data)]
        return m

    def _terms(self, x: Value) -> list[tuple[int, Value]]:
        """Signs and magnitudes whose sum is the straight line at ``x``."""
        slope, first = self.line
        zero = len(self.table) // 2 if self.shape.signed else 0
        at_zero = first + slope * zero
        terms = [(sign, x << exponent) for exponent, sign in signed_digits(slope)]
        return [*terms, (1, Const(at_zero))] if at_zero or not terms else terms

    def _line(self, m: Module, x: Value, lane: int) -> Value:
        """The straight line, in as many registers as a memory; all sums are exact modulo 2^bits, which is all that is
        kept."""
        partial = self._terms(x)
        if self.latency > 1:
            groups = [partial[index : index + _TERMS_PER_STAGE] for index in range(0, len(partial), _TERMS_PER_STAGE)]
            partial = []
            for index, group in enumerate(groups):
                held = Signal(signed(self.bits), name=f"partial_{index}_{lane}", reset_less=True)
                m.d.sync += held.eq(_sum(group))
                partial.append((1, held))
        total = Signal(signed(self.bits), name=f"total_{lane}", reset_less=True)
        m.d.sync += total.eq(_sum(partial))
        return total


def _sum(terms: list[tuple[int, Value]]) -> Value:
    """A balanced tree; a negative term is subtracted, or negated where nothing comes before it."""
    if len(terms) == 1:
        sign, value = terms[0]
        return value if sign > 0 else -value
    terms = sorted(terms, key=lambda term: -term[0])
    half = (len(terms) + 1) // 2
    left, right = terms[:half], terms[half:]
    if all(sign < 0 for sign, _ in right):
        return _sum(left) - _sum([(1, value) for _, value in right])
    return _sum(left) + _sum(right)
