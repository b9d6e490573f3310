"""iCE40's PLL with its internal feedback. Limits and the filter's ranges are those of Project IceStorm's ``icepll``."""

from __future__ import annotations

from collections.abc import Iterator

from ..flow.pll import Pll, best_setting
from ..primitives.text import instance

_REFERENCE_MHZ = (10.0, 133.0)
_OSCILLATOR_MHZ = (533.0, 1066.0)
_OUTPUT_MHZ = (16.0, 275.0)
_FILTERS = (17, 26, 44, 66, 101)  # MHz of the phase detector, below each of which a range ends


def _settings(reference: float) -> Iterator[tuple[float, tuple[int, ...]]]:
    for divider in range(16):
        detector = reference / (divider + 1)
        if not _REFERENCE_MHZ[0] <= detector <= _REFERENCE_MHZ[1]:
            continue
        for feedback in range(128):
            oscillator = detector * (feedback + 1)
            if not _OSCILLATOR_MHZ[0] <= oscillator <= _OSCILLATOR_MHZ[1]:
                continue
            for output in range(1, 7):
                if _OUTPUT_MHZ[0] <= oscillator / 2**output <= _OUTPUT_MHZ[1]:
                    yield oscillator / 2**output, (divider, feedback, output)


def pll(reference: float, wanted: float, pad: bool) -> Pll | None:
    """``pad``: the oscillator is at the PLL's own pin, which then drives nothing else."""
    found = best_setting(_settings(reference), wanted)
    if found is None:
        return None
    clock, (divider, feedback, output) = found
    detector = reference / (divider + 1)
    parameters = {
        "FEEDBACK_PATH": '"SIMPLE"',
        "DIVR": f"4'd{divider}",
        "DIVF": f"7'd{feedback}",
        "DIVQ": f"3'd{output}",
        "FILTER_RANGE": f"3'd{1 + sum(detector >= limit for limit in _FILTERS)}",
    }
    pins = {"PACKAGEPIN" if pad else "REFERENCECLK": "clk", "PLLOUTGLOBAL": "core_clk", "LOCK": "locked"}
    pins |= {"RESETB": "1'b1", "BYPASS": "1'b0"}
    return Pll(clock, instance("SB_PLL40_PAD" if pad else "SB_PLL40_CORE", "pll", parameters, pins))
