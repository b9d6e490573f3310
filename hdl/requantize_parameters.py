"""What a requantisation circuit is made of: the circuit, its latency and its cost all come from one object."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .family import GENERIC, Family
from .limit import limit_luts
from .requantize_format import RequantizeFormat, signed_bits
from .requantize_multiply import MultiplyPlan, cheapest_plan, constant_range

SHIFT_BITS_PER_STAGE = 3  # levels of two-way selection between registers


@dataclass(frozen=True)
class RequantizeCost:
    """Estimated four-input tables (a bit of carry counts as one) and registers, of all lanes, without those of the
    multiplier cells. No memory."""

    luts: int
    registers: int


@dataclass(frozen=True)
class RequantizeParameters:
    """Parameters of a :class:`~mbconv.hdl.requantize.Requantize`.

    Args:
        format: widths and constants.
        lanes: accumulators at once, ≥ 1.
        interval: least number of cycles between operands, ≥ 1.
        biased: the accumulators began with the bias, and come a cycle after ``valid`` and the words.
        products: multiplier cells of each lane; 0: rows of adders alone.
        family: of FPGAs, for its multiplier cells.

    Raises:
        ValueError: lanes or interval below 1, or a number of cells with which no lane multiplies.
    """

    format: RequantizeFormat
    lanes: int
    interval: int = 1
    biased: bool = False
    products: int = 0
    family: Family = GENERIC

    def __post_init__(self) -> None:
        if self.lanes < 1:
            raise ValueError(f"at least one lane is requantised, not {self.lanes}")
        if self.interval < 1:
            raise ValueError(
                f"operands come at most once a cycle: the interval must be at least 1, not {self.interval}"
            )
        if self.products and not self.format.multiplier_bits:
            raise ValueError(f"what only shifts needs no multiplier cell, not {self.products}")
        _ = self.plan

    @cached_property
    def plan(self) -> MultiplyPlan | None:
        """How it multiplies; None where the multiplier is 1."""
        if not self.format.multiplier_bits:
            return None
        return cheapest_plan(self.format, self.interval, self.products, self.family)

    @property
    def adds_constant(self) -> bool:
        """Without a multiplication the constants need an adder of their own."""
        return self.plan is None and constant_range(self.format) != (0, 0)

    @property
    def multiply_latency(self) -> int:
        """Cycles of the multiplication, or of the constants' adder."""
        return self.plan.latency if self.plan else int(self.adds_constant)

    @property
    def shift_stages(self) -> int:
        """Cycles of the word's own shift."""
        return -(-self.format.shift_bits // SHIFT_BITS_PER_STAGE)

    @property
    def latency(self) -> int:
        """Cycles from ``valid`` to ``o_valid``."""
        return 1 + self.multiply_latency + self.shift_stages + 2

    @property
    def value_bounds(self) -> tuple[int, int]:
        """The product's range once all is discarded that no result depends on."""
        if self.plan:
            return self.plan.result_bounds
        half = 1 << (self.format.sum_bits - 1)
        low, high = constant_range(self.format)
        discarded = max(0, self.format.shift - 1)
        return (low - half) >> discarded, (high + half - 1) >> discarded

    @property
    def rounding(self) -> int:
        """What is added before the last bit is dropped: half, and the zero point."""
        return 2 * self.format.zero_point + 1 if self.format.shift else self.format.zero_point

    @property
    def rounded_bits(self) -> int:
        """Bits of the rounded value, before its limits."""
        low, high = self.value_bounds
        drop = int(self.format.shift > 0)
        return signed_bits((low + self.rounding) >> drop, (high + self.rounding) >> drop)

    @cached_property
    def cost(self) -> RequantizeCost:
        """Estimated, of all lanes."""
        format = self.format
        value = signed_bits(*self.value_bounds)
        word = format.word_bits - format.bias_bits
        luts = (
            format.sum_bits * (not self.biased)
            + value * format.shift_bits
            + self.rounded_bits
            + limit_luts(self.rounded_bits, format.minimum, format.maximum, format.output.width)
        )
        registers = (
            format.sum_bits * (not self.biased)
            + word
            + value * self.shift_stages
            + self.rounded_bits
            + format.output.width
        )
        if self.plan:
            luts += self.plan.luts + format.constant_bits
            registers += self.plan.registers
        elif self.adds_constant:
            luts += format.sum_bits + format.constant_bits
            registers += format.sum_bits + format.shift_bits
        return RequantizeCost(luts * self.lanes, registers * self.lanes + self.latency)
