"""How a requantisation multiplies without multipliers: rows of adders, one digit of one operand each, or fewer rows
used over and over.

The product is summed from the least digit up; after each digit the sum moves right, so that every adder is only as wide
as the other operand, and the bits that the final shift discards are dropped at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .requantize_format import RequantizeFormat, signed_bits


@dataclass(frozen=True)
class MultiplyPlan:
    """The choice of digits and rows for ``s · multiplier + constant``.

    A *unit* is an adder that handles ``unit_digits`` of the digits: one in the cycle in which its operands arrive, or
    several in as many cycles after one to load them.

    Args:
        format: whose multiplier has at least one bit.
        radix_bits: 1 (AND rows) or 2 (Booth's recoding, digits −2 to 2).
        digits_of_sum: the digits are the sum's and the multiplier is the addend (radix 4 only), else the reverse.
        interval: cycles between operands.
    """

    format: RequantizeFormat
    radix_bits: int
    digits_of_sum: bool
    interval: int

    @property
    def digits(self) -> int:
        if self.radix_bits == 1:
            return self.format.multiplier_bits
        if self.digits_of_sum:
            return -(-self.format.sum_bits // 2)
        return self.format.multiplier_bits // 2 + 1

    @property
    def discarded(self) -> int:
        """Low bits of the product that no result depends on: all below the rounding bit of the least shift."""
        return max(0, self.format.shift - 1)

    @property
    def guard(self) -> int:
        """Zeros put below the product so that what the digits shift out is no more than ``discarded``."""
        return max(0, self.radix_bits * self.digits - self.discarded)

    @property
    def remaining_shift(self) -> int:
        """Bits that are still to be discarded after the last digit."""
        return self.discarded + self.guard - self.radix_bits * self.digits

    @property
    def addend_bits(self) -> int:
        return (self.format.multiplier_bits + 1 if self.digits_of_sum else self.format.sum_bits) + self.guard

    @cached_property
    def units(self) -> tuple[int, ...]:
        """Digits of each unit."""
        most = max(1, min(self.digits, self.interval - 1))
        whole, rest = divmod(self.digits, most)
        return (most,) * whole + ((rest,) if rest else ())

    @property
    def latency(self) -> int:
        return sum(1 if digits == 1 else digits + 1 for digits in self.units)

    @cached_property
    def bounds(self) -> tuple[tuple[int, int], ...]:
        """The least and greatest running sum: at first, and after each digit."""
        constants = constant_range(self.format)
        low, high = constants[0] << self.guard, constants[1] << self.guard
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
        is loaded."""
        select = 1 if self.radix_bits == 1 else 2
        count, first = 0, 0
        for digits in self.units:
            width = self.running_bits(first, digits)
            count += select * (self.addend_bits + 1) + width + self.radix_bits + 1
            if digits > 1:
                count += width + self.digit_bits(first)
            first += digits
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


def cheapest_plan(format: RequantizeFormat, interval: int) -> MultiplyPlan:
    """The plan of fewest tables that takes operands every ``interval`` cycles; the faster of equals."""
    plans = [MultiplyPlan(format, *choice, interval) for choice in ((1, False), (2, False), (2, True))]
    return min(plans, key=lambda plan: (plan.luts, plan.latency))
