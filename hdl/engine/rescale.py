"""A sum times its channel's multiplier, rounded, shifted, limited: rows of adders, some of them between registers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import Component, In, Out

from ..counting import delayed
from ..family import GENERIC, Family
from ..requantize_format import signed_bits
from .parameters import SHIFT_BITS, EngineParameters

_RESULT_BITS = 9  # of a result before its limits, which have 8
_MOVED_BITS = 12  # of a product on its way to a result: one bit to round by, and beyond any zero point
_SHIFT_LEVELS = 3  # two-way selections between registers, where a clock is fast; one less with further spare registers
_BEHIND = 3  # cycles: rounding and zero point, 9 bits, the limits


@dataclass(frozen=True)
class Rows:
    """How a multiplication is laid out: ``stages``, each of ``passes`` cycles over ``rows`` rows, a digit a row.

    A multiplier is held as digits of two bits, the lowest first; a digit t stands for t − 1: −1, 0, 1 or 2 times the
    sum, one table for each bit. After each digit the running sum moves right by two bits; those that no result depends
    on are dropped.
    """

    parameters: EngineParameters
    family: Family = GENERIC

    @property
    def passes(self) -> int:
        return self.parameters.result_cycles

    @property
    def discarded(self) -> int:
        """Low bits of the product on which no result depends: all below the rounding bit of the least shift."""
        return self.parameters.least_shift - 1

    @cached_property
    def kept(self) -> int:
        """Digits, the last ones, whose two bits are kept."""
        return -(-max(0, 2 * self.parameters.multiplier_digits - self.discarded) // 2)

    @cached_property
    def rows(self) -> int:
        most = -(-self.parameters.multiplier_digits // self.passes)
        rows = min(self.family.adders_between_registers, most)
        return rows if self.passes == 1 else max(rows, self.kept)

    @cached_property
    def stages(self) -> int:
        return -(-self.parameters.multiplier_digits // (self.rows * self.passes))

    @cached_property
    def digits(self) -> int:
        """Those of the multiplier, and zeros below them that fill the stages."""
        return self.stages * self.rows * self.passes

    @property
    def filling(self) -> int:
        """Zeros below the multiplier's digits."""
        return self.digits - self.parameters.multiplier_digits

    @cached_property
    def bounds(self) -> tuple[tuple[int, int], ...]:
        """Least and greatest running sum: at first, and after each digit."""
        constant, top = 1 << (self.parameters.constant_bits - 1), 1 << (self.parameters.accumulator_bits - 1)
        found = [(-constant << 2 * self.filling, constant - 1 << 2 * self.filling)]
        for _ in range(self.digits):
            low, high = found[-1]
            found.append(((low - 2 * top) >> 2, (high + 2 * top) >> 2))
        return tuple(found)

    def total_bits(self, stage: int, row: int) -> int:
        """Of a row's sum, before it moves."""
        places = [(stage * self.passes + one) * self.rows + row for one in range(self.passes)]
        return max(signed_bits(*self.bounds[place + 1]) for place in places) + 2

    def running_bits(self, stage: int) -> int:
        """Of a stage's register."""
        places = [(stage * self.passes + one + 1) * self.rows for one in range(self.passes)]
        return max(signed_bits(*self.bounds[place]) for place in places)

    @property
    def shift_levels(self) -> int:
        """Two-way selections of the shift between registers."""
        if self.family.adders_between_registers > 1:
            return SHIFT_BITS
        return _SHIFT_LEVELS - self.parameters.further_spares

    @property
    def latency(self) -> int:
        """Cycles from a sum to its element: 1 (bias) + stages · passes + the shift's + 3."""
        return 1 + self.stages * self.passes + -(-SHIFT_BITS // self.shift_levels) + _BEHIND


class Rescale(Component):
    """Makes elements of sums, one every ``result_cycles`` cycles at most.

    ::

        s = accumulator + bias,  n = least shift + shift,  c = rounded and (negative if s < 0 else positive)
        o = clamp(((s · multiplier + c + 2^(n−1)) >> n) + zero point, minimum, maximum)

    latency: :attr:`Rows.latency`, less of stages the more adders a family has between registers. Cost: a table and an
    adder for each bit of a row; the sum, the digits and the shift once more for each stage beyond the first; five
    selections of the product.

    Members:
        valid: ``In(1)``; accumulator: ``In(signed(sum_bits))``
        bias, digits, shift, rounded: ``In``, of the channel, with ``valid``; digits as
            :func:`~mbconv.hdl.engine.finish.multiplier_digits` makes them.
        positive, negative, zero_point, minimum, maximum: ``In``, of the instruction.
        o_valid: ``Out(1)``; o: ``Out(signed(8))``
    """

    def __init__(self, parameters: EngineParameters, family: Family = GENERIC):
        self.parameters, self.form = parameters, Rows(parameters, family)
        p = parameters
        super().__init__(
            {
                "valid": In(1),
                "accumulator": In(signed(p.sum_bits)),
                "bias": In(signed(p.accumulator_bits)),
                "digits": In(2 * p.multiplier_digits),
                "shift": In(SHIFT_BITS),
                "rounded": In(1),
                "positive": In(signed(p.constant_bits)),
                "negative": In(signed(p.constant_bits)),
                "zero_point": In(signed(10)),
                "minimum": In(signed(8)),
                "maximum": In(signed(8)),
                "o_valid": Out(1),
                "o": Out(signed(8)),
            }
        )

    @property
    def latency(self) -> int:
        return self.form.latency

    def elaborate(self, platform) -> Module:
        m = Module()
        form, p = self.form, self.parameters
        starts = Signal(form.latency)  # bit t: valid, t + 1 cycles ago
        m.d.sync += starts.eq(Cat(self.valid, starts)[: form.latency])
        m.d.comb += self.o_valid.eq(starts[-1])

        def taken(name: str, value: Value, when: Value, bits: int | None = None) -> Signal:
            """A register; where sums come seldom it holds its value until the next."""
            held = Signal(value.shape() if bits is None else signed(bits), name=name, reset_less=True)
            with m.If(when if form.passes > 1 else Const(1)):
                m.d.sync += held.eq(value)
            return held

        biased = Signal(signed(p.accumulator_bits))
        m.d.comb += biased.eq(self.accumulator + self.bias)
        total = taken("total", biased, self.valid)
        shift = taken("shift_0", self.shift, self.valid)
        digits: Value = Cat(*[Const(1, 2)] * form.filling, self.digits)
        if form.rows > 1:  # the rows' cycle is the longest: the constant is chosen in the sum's
            chosen = Mux(self.rounded, Mux(biased < 0, self.negative, self.positive), 0)
            constant = taken("constant", chosen, self.valid)
        else:
            rounded = taken("rounded_taken", self.rounded, self.valid)
            constant = Mux(rounded, Mux(total < 0, self.negative, self.positive), 0)
        running, low, before = constant << 2 * form.filling, [], self.valid
        for stage in range(form.stages):
            start = starts[stage * form.passes]
            step = 2 * form.rows
            left = Signal(len(digits), name=f"digits_{stage}", reset_less=True)
            m.d.sync += left.eq(Mux(before, digits, left >> step) if form.passes > 1 else digits)
            held = Signal(signed(form.running_bits(stage)), name=f"running_{stage}", reset_less=True)
            first = running if form.passes == 1 else Mux(start, running, held)
            value, kept = self._pass(m, stage, first, total, left)
            m.d.sync += held.eq(value)
            low = [taken(f"low_{stage}_{place}", bits, Const(1)) for place, bits in enumerate((*low, *kept))]
            before = starts[(stage + 1) * form.passes - 1]
            shift = taken(f"shift_{stage + 1}", shift, before)
            if stage + 1 < form.stages:
                total = taken(f"total_{stage + 1}", total, before)
            running, digits = held, left[step:]
        surplus = form.discarded - 2 * (p.multiplier_digits - form.kept)
        self._finish(m, Cat(*low, running)[surplus:].as_signed(), shift)
        return m

    def _pass(self, m: Module, stage: int, running: Value, total: Signal, digits: Signal) -> tuple[Value, list[Value]]:
        """The running sum after a stage's rows, and the bits of the last rows that are kept."""
        form = self.form
        low = []
        for row in range(form.rows):
            digit = digits[2 * row : 2 * row + 2]
            # one table a bit: minus the sum is its complement and 1, which enters as the carry of a bit below
            multiple = Mux(digit[1], Mux(digit[0], total << 1, total), Mux(digit[0], 0, ~total)).as_signed()
            carry = digit == 0
            wide = Signal(signed(form.total_bits(stage, row)), name=f"row_{stage}_{row}")
            m.d.comb += wide.eq((Cat(Const(1, 1), running).as_signed() + Cat(carry, multiple).as_signed()) >> 1)
            if (stage + 1) * form.rows * form.passes - form.rows + row >= form.digits - form.kept:
                low.append(wide[:2])
            running = wide[2:].as_signed()
        return running, low

    def _finish(self, m: Module, value: Value, shift: Value) -> None:
        """Shift, rounding, zero point, limits. The longest shift comes first, so that of what is left only as many bits
        move on as the shorter ones and the result need; that others were of use is a mark (``beyond``)."""
        form = self.form
        places = list(reversed(range(SHIFT_BITS)))
        kept, beyond, negative = _MOVED_BITS + (1 << SHIFT_BITS) - 1, Const(0), value[-1]
        for first in range(0, SHIFT_BITS, form.shift_levels):
            value, beyond = value[:kept].as_signed(), beyond | _differ(value[kept - 1 :])
            for place in places[first : first + form.shift_levels]:
                kept -= 1 << place
                beyond |= ~shift[place] & _differ(value[kept - 1 :])
                value = Mux(shift[place], value >> (1 << place), value[:kept].as_signed())[:kept].as_signed()
            moved = Signal(value.shape(), name=f"moved_{first}", reset_less=True)
            marks = Signal(2, name=f"marks_{first}", reset_less=True)
            m.d.sync += [moved.eq(value), marks.eq(Cat(beyond, negative))]
            value, beyond, negative = moved, marks[0], marks[1]
            shift = delayed(m, shift, 1, f"shift_behind_{first}") if first + form.shift_levels < SHIFT_BITS else shift
        whole = Signal(signed(_MOVED_BITS + 1), reset_less=True)
        m.d.sync += whole.eq(value + Cat(Const(1, 1), self.zero_point).as_signed())
        beyond, negative = delayed(m, Cat(beyond, negative), 1, "marks")
        rounded = whole[1:].as_signed()
        near = Signal(signed(_RESULT_BITS), reset_less=True)
        below = Mux(beyond, negative, rounded[-1])
        saturated = Cat((~below).replicate(_RESULT_BITS - 1), below)
        outside = beyond | _differ(rounded[_RESULT_BITS - 1 :])
        m.d.sync += near.eq(Mux(outside, saturated, rounded[:_RESULT_BITS]))
        m.d.sync += self.o.eq(Mux(near < self.minimum, self.minimum, Mux(near > self.maximum, self.maximum, near)))


def _differ(bits: Value) -> Value:
    """Not all of some bits are equal."""
    return bits.any() & ~bits.all()
