"""The clock that a PLL makes of an oscillator's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """What a PLL is fed with: a board's oscillator.

    Attributes:
        pin: of the FPGA.
        below_range: it may be slower than the PLL's maker gives as the lowest.
    """

    mhz: float
    pin: str
    below_range: bool = False


@dataclass(frozen=True)
class Pll:
    """A PLL's setting.

    Attributes:
        mhz: what it makes.
        verilog: an instance between the nets ``clk``, ``core_clk`` and ``locked``.
    """

    mhz: float
    verilog: str


def best_setting(
    settings: Iterable[tuple[float, tuple[int, ...]]], wanted: float
) -> tuple[float, tuple[int, ...]] | None:
    """Of (MHz, dividers) the highest clock that is not above the one wanted; of equals the smallest dividers."""
    allowed = [setting for setting in settings if setting[0] <= wanted * (1 + 1e-9)]
    return max(allowed, key=lambda setting: (round(setting[0], 6), [-divider for divider in setting[1]]), default=None)
