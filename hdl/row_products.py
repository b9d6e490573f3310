"""Products of two small numbers by rows of adders, for what is too little to have multipliers of its own."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Shape, ShapeLike, Signal, Value, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import Component, In, Out

from .cost import Cost
from .requantize import add_digit


class RowProducts(Component):
    """``p[lane] = a[lane] · b[lane]``, ``latency`` cycles later: a row of adders for each Booth digit of b, two bits
    (A. D. Booth, 1951; O. L. MacSorley, 1961), a register behind each. No enable, no reset.

    Takes operands every cycle. Cost: no multiplier; ``own_cost``.

    Args:
        a_shape, b_shape: of the operands.
        lanes: products at once.

    Members:
        a: ``In(ArrayLayout(a_shape, lanes))``
        b: ``In(ArrayLayout(b_shape, lanes))``
        p: ``Out(ArrayLayout(signed(bits), lanes))``

    Raises:
        ValueError: no lane, or an operand of no bits.
    """

    multipliers = 0
    memory_bits = 0
    cycles_per_beat = 1

    def __init__(self, a_shape: ShapeLike, b_shape: ShapeLike, lanes: int):
        self.a_shape, self.b_shape, self.lanes = Shape.cast(a_shape), Shape.cast(b_shape), lanes
        if lanes < 1 or min(self.a_shape.width, self.b_shape.width) < 1:
            raise ValueError(f"{lanes} products of {self.a_shape!r} and {self.b_shape!r} are none")
        self._a_bits, b_bits = (shape.width + (not shape.signed) for shape in (self.a_shape, self.b_shape))
        self.latency = -(-b_bits // 2)
        self.bits = self._a_bits + 2 * self.latency
        super().__init__(
            {
                "a": In(ArrayLayout(self.a_shape, lanes)),
                "b": In(ArrayLayout(self.b_shape, lanes)),
                "p": Out(ArrayLayout(signed(self.bits), lanes)),
            }
        )

    @property
    def own_cost(self) -> Cost:
        """For each bit of a row two tables to select and one to add."""
        return Cost(self.lanes * self.latency * 3 * (self._a_bits + 1))

    def elaborate(self, platform) -> Module:
        m = Module()
        for lane in range(self.lanes):
            digits = Signal(signed(2 * self.latency), name=f"digits_{lane}")
            addend = Signal(signed(self._a_bits), name=f"addend_{lane}")
            m.d.comb += [digits.eq(self.b[lane]), addend.eq(self.a[lane])]
            m.d.comb += self.p[lane].eq(self._rows(m, lane, addend, Cat(Const(0, 1), digits)))
        return m

    def _rows(self, m: Module, lane: int, addend: Value, digits: Value) -> Value:
        """The sum of all rows; each hands on what it adds to the next row, and two bits that are done."""
        running: Value = Const(0, signed(self._a_bits))
        done: Value = Const(0, 0)
        for row in range(self.latency):

            def register(name: str, value: Value, shape: ShapeLike, row: int = row) -> Signal:
                held = Signal(shape, name=f"{name}_{row}_{lane}", reset_less=True)
                m.d.sync += held.eq(value)
                return held

            total = Signal(signed(self._a_bits + 2), name=f"total_{row}_{lane}")
            m.d.comb += total.eq(add_digit(running, addend, digits, 2))
            done = register("done", Cat(done, total[:2]), 2 * (row + 1))
            running = register("running", total >> 2, signed(self._a_bits))
            if row + 1 < self.latency:
                addend = register("addend", addend, signed(self._a_bits))
                digits = register("digits", digits[2:], len(digits) - 2)
        return Cat(done, running).as_signed()
