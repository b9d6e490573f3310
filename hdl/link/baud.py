"""Which rates a clock can make: the length of a bit as a ratio of small integers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

LEAST_BIT_CYCLES = 8
"""Below this the edge of the start bit, found to a cycle, is too far from where it was."""

LARGEST_ERROR = 0.02
"""Of a rate: with as much at the other end, the last sample of a byte is still within its bit."""

BITS_PER_BYTE = 10
STANDARD_RATES = (115_200, 230_400, 460_800, 921_600, 1_000_000, 2_000_000, 3_000_000)
"""That USB adapters make; the last three are what FTDI's divide their clock to exactly."""

_LARGEST_DENOMINATOR = 16
_CLOSE_ENOUGH = Fraction(1, 400)


@dataclass(frozen=True)
class BitLength:
    """A bit of ``numerator / denominator`` cycles, every edge to the nearest cycle.

    Attributes:
        clock: Hz.
        baud: the rate asked for, bits per second.

    Raises:
        ValueError: a bit of fewer than 8 cycles, or a rate that the ratio misses by more than 2 %.
    """

    clock: float
    baud: float

    def __post_init__(self) -> None:
        if not 0 < self.baud < float("inf") or not 0 < self.clock < float("inf"):
            raise ValueError(f"clock and rate of a UART are positive, not {self.clock} Hz and {self.baud} baud")
        if self.clock < LEAST_BIT_CYCLES * self.baud:
            raise ValueError(
                f"{self.baud:,.0f} baud need a clock of at least {LEAST_BIT_CYCLES * self.baud / 1e6:g} MHz, "
                f"{LEAST_BIT_CYCLES} cycles for each bit; at {self.clock / 1e6:g} MHz at most "
                f"{self.clock / LEAST_BIT_CYCLES:,.0f} baud are possible"
            )
        if abs(self.error) > LARGEST_ERROR:
            raise ValueError(f"{self.clock / 1e6:g} MHz make {self.baud:,.0f} baud with an error of {self.error:+.1%}")

    @property
    def ratio(self) -> Fraction:
        """The shortest ratio that is within 0.25 %, or the best of those with a denominator up to 16."""
        wanted = Fraction(self.clock) / Fraction(self.baud)
        for denominator in range(1, _LARGEST_DENOMINATOR + 1):
            near = Fraction(round(wanted * denominator), denominator)
            if abs(near / wanted - 1) <= _CLOSE_ENOUGH:
                return near
        return wanted.limit_denominator(_LARGEST_DENOMINATOR)

    @property
    def error(self) -> float:
        """Of the rate made, relative to the one asked for."""
        return float(Fraction(self.clock) / Fraction(self.baud) / self.ratio - 1)

    @property
    def byte_cycles(self) -> float:
        """Cycles between bytes that follow each other at once."""
        return float(BITS_PER_BYTE * self.ratio)


def fastest_rate(clock: float, byte_cycles: float, largest: int = 1_000_000) -> int | None:
    """The highest standard rate up to ``largest`` with at least ``byte_cycles`` between bytes; None if all are too fast
    for the clock."""
    found = None
    for rate in STANDARD_RATES:
        if rate <= largest and rate * LEAST_BIT_CYCLES <= clock and BITS_PER_BYTE * clock >= byte_cycles * rate:
            found = rate
    return found
