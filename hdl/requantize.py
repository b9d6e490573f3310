"""Requantisation: from sums to elements of the next tensor, by shifts, adders and, where a lane is given some,
multiplier cells."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, signed
from amaranth.lib.wiring import Component, In, Out

from .cost import Cost
from .counting import delayed
from .layouts import ArrayLayout
from .limit import limited
from .primitives import Multipliers
from .requantize_format import RequantizeFormat, RequantizeWords, signed_bits
from .requantize_multiply import constant_range
from .requantize_parameters import SHIFT_BITS_PER_STAGE, RequantizeCost, RequantizeParameters

__all__ = ["Requantize", "RequantizeCost", "RequantizeFormat", "RequantizeParameters", "RequantizeWords"]


class Requantize(Component):
    """A pipeline without enables that applies a :class:`RequantizeFormat` to ``lanes`` accumulators.

    ::

        accumulator ─┐   ┌───┐ s  ┌─────────────────────┐   ┌─────────┐   ┌──────────┐   ┌───────┐
                     ├──►│ + ├───►│ · multiplier        ├──►│ >> word ├──►│ + rounding├──►│ clamp ├─► o
        word.bias ───┘   └───┘    │ + constant by sign  │   │ .shift  │   │ + zero    │   └───────┘
                                  │ (rows of adders)    │   └─────────┘   │ point     │
                                  └─────────────────────┘                 └───────────┘

    Operands may come every ``interval`` cycles or less often. ``o_valid`` is ``valid`` delayed by ``latency``: 1 (bias,
    or the cycle in which an accumulator that began with its bias gets its last product) + the multiplication +
    ⌈shift_bits/3⌉ + 2 (zero point, clamp).

    The multiplication takes one cycle for each Booth digit of the narrower operand when ``interval`` ≤ 2; otherwise its
    adders are used ``interval − 1`` times, with Booth's digits or single bits, whichever is cheaper
    (:func:`cheapest_plan`). Multiplier cells take most of one operand at once, in their own latency and a cycle for
    each cell of a lane to sum them up. With ``multiplier_bits`` = 0 there is none: one cycle for the constants unless
    they are 0.

    Cost: the parameters' ``cost``, and ``products`` multiplier cells for each lane. Only ``valid``'s delay is reset.

    Args:
        parameters: a :class:`~mbconv.hdl.requantize_parameters.RequantizeParameters`.

    Members:
        valid: ``In(1)``
        accumulators: ``In(ArrayLayout(signed(accumulator_bits), lanes))``, of ``sum_bits`` where ``biased``
        words: ``In(ArrayLayout(format.word_layout, lanes))``
        o_valid: ``Out(1)``
        o: ``Out(ArrayLayout(format.output, lanes))``
    """

    multipliers = 0
    memory_bits = 0

    def __init__(self, parameters: RequantizeParameters):
        self.parameters = parameters
        format, lanes = parameters.format, parameters.lanes
        accumulator_bits = format.sum_bits if parameters.biased else format.accumulator_bits
        self.products = self._cells()
        super().__init__(
            {
                "valid": In(1),
                "accumulators": In(ArrayLayout(signed(accumulator_bits), lanes)),
                "words": In(ArrayLayout(format.word_layout, lanes)),
                "o_valid": Out(1),
                "o": Out(ArrayLayout(format.output, lanes)),
            }
        )

    @property
    def format(self) -> RequantizeFormat:
        return self.parameters.format

    @property
    def lanes(self) -> int:
        return self.parameters.lanes

    @property
    def cycles_per_beat(self) -> int:
        return self.parameters.interval

    @property
    def latency(self) -> int:
        """Cycles from ``valid`` to ``o_valid``."""
        return self.parameters.latency

    @property
    def own_cost(self) -> Cost:
        """That of its form, see :attr:`.requantize_parameters.RequantizeParameters.cost`."""
        return Cost(self.parameters.cost.luts)

    def elaborate(self, platform) -> Module:
        m = Module()
        for piece, product in enumerate(self.products):
            m.submodules[f"product_{piece}"] = product
        self._valid_after = Signal(self.latency)  # bit t: valid, t + 1 cycles ago
        m.d.sync += self._valid_after.eq(Cat(self.valid, self._valid_after)[: self.latency])
        m.d.comb += self.o_valid.eq(self._valid_after[-1])
        for lane in range(self.lanes):
            self._lane(m, lane)
        return m

    def _lane(self, m: Module, lane: int) -> None:
        format = self.format
        word = self.words[lane]

        def register(name: str, value: Value, bits: int | None = None) -> Signal:
            shape = value.shape() if bits is None else signed(bits)
            held = Signal(shape, name=f"{name}_{lane}", reset_less=True)
            m.d.sync += held.eq(value)
            return held

        def field(name: str) -> Signal | None:
            return register(name, word[name]) if name in format.word_layout.members else None

        if self.parameters.biased:
            total = Signal(signed(format.sum_bits), name=f"sum_{lane}")
            m.d.comb += total.eq(self.accumulators[lane])
        else:
            total = register("sum", self.accumulators[lane] + word.bias, format.sum_bits)
        multiplier, positive, negative, shift = map(field, ("multiplier", "positive", "negative", "shift"))
        if positive is None:
            positive, negative = Const(format.positive, signed(48)), Const(format.negative, signed(48))
        constant_bits = signed_bits(*constant_range(format))
        constant = Signal(signed(constant_bits), name=f"constant_{lane}")
        m.d.comb += constant.eq(Mux(total < 0, negative, positive))

        if self.parameters.plan:
            value, shift = self._multiply(m, lane, total, multiplier, constant, shift)
        elif self.parameters.adds_constant:
            low, high = constant_range(format)
            half = 1 << (format.sum_bits - 1)
            value = register("corrected", total + constant, signed_bits(low - half, high + half - 1))
            shift = None if shift is None else register("corrected_shift", shift)
        else:
            value = total
        discarded = self.parameters.plan.remaining_shift if self.parameters.plan else max(0, format.shift - 1)
        value = _discard(value, discarded)

        for stage in range(self.parameters.shift_stages):
            for bit in range(min(SHIFT_BITS_PER_STAGE, len(shift))):
                value = Mux(shift[bit], _discard(value, 1 << (bit + stage * SHIFT_BITS_PER_STAGE)), value)
            value = register(f"shifted_{stage}", value)
            if len(shift) > SHIFT_BITS_PER_STAGE:
                shift = register(f"shift_{stage}", shift[SHIFT_BITS_PER_STAGE:])

        rounded = (value + self.parameters.rounding) >> int(format.shift > 0)
        rounded = register("rounded", rounded, self.parameters.rounded_bits)
        output = Signal(format.output, name=f"output_{lane}", reset_less=True)
        m.d.sync += output.eq(limited(rounded, format.minimum, format.maximum))
        m.d.comb += self.o[lane].eq(output)

    def _multiply(
        self, m: Module, lane: int, total: Signal, multiplier: Signal, constant: Signal, shift: Signal | None
    ):
        """The chain of units; returns the running sum behind the last and the word's shift that goes with it."""
        plan = self.parameters.plan
        digits, addend = (total, multiplier) if plan.digits_of_sum else (multiplier, total)
        first_sum: Value = constant
        if plan.in_cells:
            first_sum, digits, addend, shift = self._multiply_in_cells(m, lane, digits, addend, constant, total, shift)
        if not plan.digits:
            return first_sum, shift
        operand = Signal(plan.digit_bits(0), name=f"digits_{lane}")
        if plan.radix_bits == 2:
            extended = Signal(Shape(plan.digit_bits(0) - 1, digits.shape().signed), name=f"extended_{lane}")
            m.d.comb += [extended.eq(digits), operand.eq(Cat(Const(0, 1), extended))]
        else:
            m.d.comb += operand.eq(digits)
        scaled = Signal(signed(plan.addend_bits), name=f"addend_{lane}")
        running = Signal(signed(signed_bits(*plan.bounds[0])), name=f"start_{lane}")
        moved = first_sum >> plan.dropped if plan.dropped > 0 else first_sum << -plan.dropped
        m.d.comb += [scaled.eq(addend << plan.guard), running.eq(moved)]
        state = _UnitState(running, scaled, operand, shift)
        cycle, first = plan.cell_latency, 0
        for number, count in enumerate(plan.units):
            name = f"{number}_{lane}"
            if count == 1:
                state = self._row(m, name, first, state)
                cycle += 1
            else:
                state = self._serial_unit(m, name, first, count, state, self._valid_after[cycle])
                cycle += count + 1
            first += count
        return state.running, state.shift

    def _cells(self) -> list[Multipliers]:
        """The cells of all lanes: one set for each piece of the addend, lowest first."""
        plan = self.parameters.plan
        if plan is None or not plan.in_cells:
            return []
        width, whole = plan.family.product_bits, plan.plain_addend_bits
        operand = Shape(plan.cell_bits, plan.digits_of_sum and not plan.digits)
        pieces = [Shape(min(width, whole - low), False) for low in range(0, whole, width)]
        pieces[-1] = Shape(pieces[-1].width, not plan.digits_of_sum)
        lanes = self.parameters.lanes
        return [
            Multipliers(lanes, operand, piece, dsp_count=lanes, of_array=False, family=plan.family) for piece in pieces
        ]

    def _multiply_in_cells(
        self,
        m: Module,
        lane: int,
        operand: Signal,
        addend: Signal,
        constant: Signal,
        total: Signal,
        shift: Value | None,
    ):
        """The low bits of an operand times the addend, plus the constant; with what goes on behind: the operand's other
        bits, the addend and the word's shift."""
        plan = self.parameters.plan
        width, cycles = plan.family.product_bits, plan.cell_latency
        sums: list[Value] = []
        for piece, cell in enumerate(self.products):
            bits = addend[piece * width : piece * width + len(cell.b[lane])]
            m.d.comb += [cell.a[lane].eq(operand[: plan.cell_bits]), cell.b[lane].eq(bits)]
            product = delayed(m, cell.p[lane], max(0, piece - 1), f"product_{piece}_{lane}")
            if piece:
                low, high = sums[-1][: piece * width], sums[-1][piece * width :]
                high = high.as_signed() if sums[-1].shape().signed else high
                top = high + product
                product = Signal(
                    Shape(len(low) + len(top), top.shape().signed), name=f"sum_{piece}_{lane}", reset_less=True
                )
                m.d.sync += product.eq(Cat(low, top))
            sums.append(product)
        if self.format.constant_bits:
            late: Value = delayed(m, constant, cycles - 1, f"constant_{lane}")
        else:
            negative = delayed(m, total[-1], cycles - 1, f"negative_{lane}")
            late = Mux(negative, self.format.negative, self.format.positive)
        corrected = Signal(signed(signed_bits(*plan.cell_bounds)), name=f"corrected_{lane}", reset_less=True)
        m.d.sync += corrected.eq(sums[-1] + late)
        if shift is not None:
            shift = delayed(m, shift, cycles, f"word_shift_{lane}")
        if plan.digits:
            addend = delayed(m, addend, cycles, f"late_addend_{lane}")
            rest = Signal(Shape(len(operand) - plan.cell_bits, operand.shape().signed), name=f"rest_{lane}")
            m.d.comb += rest.eq(operand[plan.cell_bits :])
            operand = delayed(m, rest, cycles, f"late_digits_{lane}")
        return corrected, operand, addend, shift

    def _row(self, m: Module, name: str, first: int, state: _UnitState) -> _UnitState:
        """A unit of one digit: adds and moves right in the cycle in which its operands arrive."""
        plan = self.parameters.plan
        running = Signal(signed(plan.running_bits(first, 1)), name=f"running_{name}", reset_less=True)
        m.d.sync += running.eq(
            _add_digit(state.running, state.addend, state.digits, plan.radix_bits) >> plan.radix_bits
        )
        following = _UnitState(running, state.addend, state.digits, state.shift)
        if first + 1 < plan.digits:
            following.addend = Signal.like(state.addend, name=f"addend_{name}", reset_less=True)
            following.digits = Signal(plan.digit_bits(first + 1), name=f"digits_{name}", reset_less=True)
            m.d.sync += [following.addend.eq(state.addend), following.digits.eq(state.digits[plan.radix_bits :])]
        if state.shift is not None:
            following.shift = Signal.like(state.shift, name=f"shift_{name}", reset_less=True)
            m.d.sync += following.shift.eq(state.shift)
        return following

    def _serial_unit(self, m: Module, name: str, first: int, count: int, state: _UnitState, start: Value) -> _UnitState:
        """A unit of several digits: loads on ``start``, then handles one a cycle, and never needs to stop."""
        plan = self.parameters.plan
        running = Signal(signed(plan.running_bits(first, count)), name=f"running_{name}", reset_less=True)
        addend = Signal.like(state.addend, name=f"addend_{name}", reset_less=True)
        digits = Signal(plan.digit_bits(first), name=f"digits_{name}", reset_less=True)
        held = None if state.shift is None else Signal.like(state.shift, name=f"shift_{name}", reset_less=True)
        with m.If(start):
            m.d.sync += [running.eq(state.running), addend.eq(state.addend), digits.eq(state.digits)]
            if held is not None:
                m.d.sync += held.eq(state.shift)
        with m.Else():
            m.d.sync += [
                running.eq(_add_digit(running, addend, digits, plan.radix_bits) >> plan.radix_bits),
                digits.eq(digits >> plan.radix_bits),
            ]
        remaining = digits[: plan.digit_bits(first + count)] if first + count < plan.digits else digits
        return _UnitState(running, addend, remaining, held)


@dataclass
class _UnitState:
    """What a unit hands to the next: the running sum, the addend, the digits still to come, the word's shift."""

    running: Signal
    addend: Signal
    digits: Value
    shift: Signal | None


def _discard(value: Value, bits: int) -> Value:
    """An arithmetic right shift by a constant, at least the sign remaining."""
    bits = min(bits, len(value) - 1)
    return value[bits:].as_signed()


def _add_digit(running: Value, addend: Value, digits: Value, radix_bits: int) -> Value:
    """The running sum plus the lowest digit times the addend."""
    if radix_bits == 1:
        return running + Mux(digits[0], addend, 0)
    below, low, high = digits[0], digits[1], digits[2]
    one, two = below ^ low, Mux(high, ~(below | low), below & low)
    multiple = Mux(two, addend << 1, Mux(one, addend, 0))
    # A negative digit adds the complement and 1; the 1 enters as the carry of a bit below the sum.
    complement = multiple ^ high.replicate(len(multiple)).as_signed()
    return (Cat(Const(1, 1), running).as_signed() + Cat(high, complement).as_signed()) >> 1
