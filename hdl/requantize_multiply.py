"""How a requantisation multiplies: rows of adders, one digit of one operand each, or fewer rows used over and over; or
multiplier cells, which take most of an operand at once, and rows for the digits that are left.

The product is summed from the least digit up; after each digit the sum moves right, so that every adder is only as wide
as the other operand, and the bits that the final shift discards are dropped at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .family import GENERIC, Family
from .requantize_format import RequantizeFormat, signed_bits


@dataclass(frozen=True)
class MultiplyPlan:
    """The choice of cells, digits and rows for ``s · multiplier + constant``.

    The lowest ``cell_bits`` of one operand are multiplied by the other, the *addend*, in ``products`` multiplier cells,
    each of which takes as many bits of the addend as the family's cells are wide; their products and the constant are
    added up. The rest of the operand are *digits*. A *unit* is an adder that handles ``unit_digits`` of the digits: one
    in the cycle in which its operands arrive, or several in as many cycles after one to load them.

    Args:
        format: whose multiplier has at least one bit.
        radix_bits: 1 (AND rows) or 2 (Booth's recoding, digits −2 to 2).
        digits_of_sum: the digits are the sum's and the multiplier is the addend (radix 4 only), else the reverse.
        interval: cycles between operands.
        in_cells: multiplier cells take the low bits of the digits' operand.
        family: of FPGAs, for its cells.
    """

    format: RequantizeFormat
    radix_bits: int
    digits_of_sum: bool
    interval: int
    in_cells: bool = False
    family: Family = GENERIC

    @property
    def operand_bits(self) -> int:
        """Of the operand whose digits are handled."""
        return self.format.sum_bits if self.digits_of_sum else self.format.multiplier_bits

    @property
    def cell_bits(self) -> int:
        return min(self.operand_bits, self.family.product_bits) if self.in_cells else 0

    @property
    def plain_addend_bits(self) -> int:
        return self.format.multiplier_bits if self.digits_of_sum else self.format.sum_bits

    @property
    def products(self) -> int:
        """Multiplier cells of a lane."""
        return -(-self.plain_addend_bits // self.family.product_bits) if self.in_cells else 0

    @property
    def digits(self) -> int:
        rest = self.operand_bits - self.cell_bits
        if self.radix_bits == 1 or not rest:
            return rest
        return -(-rest // 2) if self.digits_of_sum else rest // 2 + 1

    @property
    def discarded(self) -> int:
        """Low bits of the product that no result depends on: all below the rounding bit of the least shift."""
        return max(0, self.format.shift - 1)

    @property
    def guard(self) -> int:
        """Zeros put below the product so that what the digits shift out is no more than ``discarded``."""
        return max(0, self.cell_bits + self.radix_bits * self.digits - self.discarded) if self.digits else 0

    @property
    def dropped(self) -> int:
        """Low bits of the cells' sum that are dropped before the digits; negative: zeros put below."""
        return self.cell_bits - self.guard if self.digits else 0

    @property
    def remaining_shift(self) -> int:
        """Bits that are still to be discarded after the last digit."""
        return self.discarded - self.dropped - self.radix_bits * self.digits

    @property
    def addend_bits(self) -> int:
        return self.plain_addend_bits + (1 if self.digits_of_sum else 0) + self.guard

    @cached_property
    def units(self) -> tuple[int, ...]:
        """Digits of each unit."""
        if not self.digits:
            return ()
        most = max(1, min(self.digits, self.interval - 1))
        whole, rest = divmod(self.digits, most)
        return (most,) * whole + ((rest,) if rest else ())

    @property
    def cell_latency(self) -> int:
        """Of the cells, and of the sum of their products and the constant."""
        return self.family.multiplier_latency + self.products if self.in_cells else 0

    @property
    def latency(self) -> int:
        return self.cell_latency + sum(1 if digits == 1 else digits + 1 for digits in self.units)

    @cached_property
    def cell_bounds(self) -> tuple[int, int]:
        """The range of the constant and the cells' products."""
        low, high = constant_range(self.format)
        if not self.in_cells:
            return low, high
        half, top = 1 << self.format.sum_bits - 1, (1 << self.format.multiplier_bits) - 1
        sums, multipliers = (-half, half - 1), (0, top)
        operand, addend = (sums, multipliers) if self.digits_of_sum else (multipliers, sums)
        if self.digits:
            operand = (0, (1 << self.cell_bits) - 1)
        corners = [a * b for a in operand for b in addend]
        return low + min(corners), high + max(corners)

    @cached_property
    def bounds(self) -> tuple[tuple[int, int], ...]:
        """The least and greatest running sum: at first, and after each digit."""
        low, high = (
            bound >> self.dropped if self.dropped > 0 else bound << -self.dropped
            for bound in self.cell_bounds
        )  # fmt: skip
        half = 1 << (self.addend_bits - 1)
        least, greatest = (-half, half - 1) if self.radix_bits == 1 else (-2 * half, 2 * half)
        found = [(low, high)]
        for _ in range(self.digits):
            low, high = (low + min(0, least)) >> self.radix_bits, (high + max(0, greatest)) >> self.radix_bits
            found.append((low, high))
        return tuple(found)

    def total_bits(self, digit: int) -> int:
        """Width of the sum that digit number ``digit`` makes, before it moves right."""
        return signed_bits(*self.bounds[digit + 1]) + self.radix_bits

    def running_bits(self, first: int, digits: int) -> int:
        """Width of the register of a unit that handles ``digits`` digits from ``first`` on."""
        inside = self.bounds[first + 1 : first + digits + 1] if digits == 1 else self.bounds[first : first + digits + 1]
        return max(signed_bits(*bound) for bound in inside)

    @property
    def result_bounds(self) -> tuple[int, int]:
        low, high = self.bounds[-1]
        return low >> self.remaining_shift, high >> self.remaining_shift

    @cached_property
    def luts(self) -> int:
        """Four-input tables and carry bits, estimated: per bit of a row 1 (AND) or 2 (Booth), 1 of carry, 1 where it
        is loaded; of the cells' products and the constant a bit of carry for each bit of a sum."""
        select = 1 if self.radix_bits == 1 else 2
        count, first = 0, 0
        for digits in self.units:
            width = self.running_bits(first, digits)
            count += select * (self.addend_bits + 1) + width + self.radix_bits + 1
            if digits > 1:
                count += width + self.digit_bits(first)
            first += digits
        if self.in_cells:
            count += (self.products - 1) * (self.cell_bits + self.family.product_bits) + signed_bits(*self.cell_bounds)
        return count

    @cached_property
    def registers(self) -> int:
        count, first = 0, 0
        for digits in self.units:
            last = first + digits == self.digits
            count += self.running_bits(first, digits) + self.format.shift_bits
            if digits > 1:
                count += self.addend_bits + self.digit_bits(first)
            elif not last:
                count += self.addend_bits + self.digit_bits(first + 1)
            first += digits
        if self.in_cells:
            carried = self.format.shift_bits + (self.format.constant_bits or 1)
            if self.digits:
                carried += self.plain_addend_bits + self.operand_bits - self.cell_bits
            count += self.cell_latency * carried + self.products * signed_bits(*self.cell_bounds)
        return count

    def digit_bits(self, first: int) -> int:
        """Bits of the digits' operand that digits from ``first`` on need (Booth's look at one bit below)."""
        return self.radix_bits * (self.digits - first) + (self.radix_bits == 2)


def constant_range(format: RequantizeFormat) -> tuple[int, int]:
    """The least and greatest rounding constant."""
    if format.constant_bits:
        half = 1 << (format.constant_bits - 1)
        return -half, half - 1
    return min(format.positive, format.negative), max(format.positive, format.negative)


def possible_plans(
    format: RequantizeFormat, interval: int, in_cells: bool = False, family: Family = GENERIC
) -> list[MultiplyPlan]:
    """Every way to multiply by rows alone, or with multiplier cells."""
    choices = ((1, False), (2, False), (2, True))
    return [MultiplyPlan(format, *choice, interval, in_cells, family) for choice in choices]


def cheapest_plan(
    format: RequantizeFormat, interval: int, products: int = 0, family: Family = GENERIC
) -> MultiplyPlan:  # fmt: skip
    """The plan of fewest tables that takes operands every ``interval`` cycles and as many multiplier cells a lane as
    said; the faster of equals.

    Raises:
        ValueError: no plan takes so many cells.
    """
    plans = possible_plans(format, interval, products > 0, family)
    chosen = [plan for plan in plans if plan.products == products]
    if not chosen:
        counts = sorted({plan.products for plan in plans})
        raise ValueError(f"a lane multiplies in {' or '.join(map(str, counts))} multiplier cells, not {products}")
    return min(chosen, key=lambda plan: (plan.luts, plan.latency))
