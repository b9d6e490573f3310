"""Nexus' PLL with the divider of its sixth output in the feedback, as LiteX sets it. Limits are those of the
CrossLink-NX data sheet (FPGA-DS-02049, sysCLOCK PLL timing, without fractional division) as enjoy-digital/litex has
them, ``litex/soc/cores/clock/lattice_nx.py`` at 127a5aa5."""

from __future__ import annotations

from collections.abc import Iterator

from ..flow.pll import Pll, best_setting
from ..primitives.text import instance
from .loop_filter import loop_filter

LOWEST_REFERENCE_MHZ = 18.0
_HIGHEST_REFERENCE_MHZ = 500.0
_OSCILLATOR_MHZ = (800.0, 1600.0)
_OUTPUT_MHZ = (6.25, 800.0)

_FIXED = {  # of every reference design of Lattice's, by LiteX; the oscillator's are those of a core at 1 V
    "V2I_PP_ICTRL": "0b11111",
    "IPI_CMPN": "0b0011",
    "V2I_1V_EN": "ENABLED",
    "V2I_KVCO_SEL": "60",
    "KP_VCO": "0b00011",
    "PLLPD_N": "USED",
    "PLLRESET_ENA": "ENABLED",
    "REF_INTEGER_MODE": "ENABLED",
    "SEL_FBK": "FBKCLK5",
    "CLKMUX_FB": "CMUX_CLKOS5",
    "ENCLK_CLKOP": "ENABLED",
    "ENCLK_CLKOS5": "ENABLED",
    "FBK_INTEGER_MODE": "ENABLED",
    "FBK_MASK": "0b00000000",
    "FBK_MMD_DIG": "1",
    "PHIA": "0",
}


def _settings(reference: float, lowest: float) -> Iterator[tuple[float, tuple[int, ...]]]:
    for divider in range(1, 129):
        detector = reference / divider
        if not lowest <= detector <= _HIGHEST_REFERENCE_MHZ:
            continue
        for feedback in range(1, 129):
            oscillator = detector * feedback
            if not _OSCILLATOR_MHZ[0] <= oscillator <= _OSCILLATOR_MHZ[1]:
                continue
            for output in range(1, 129):
                if _OUTPUT_MHZ[0] <= oscillator / output <= _OUTPUT_MHZ[1]:
                    yield oscillator / output, (divider, feedback, output)


def pll(reference: float, wanted: float, below_its_range: bool = False) -> Pll | None:
    """``below_its_range``: a reference that is slower than the lowest is taken as it is."""
    lowest = min(reference, LOWEST_REFERENCE_MHZ) if below_its_range else LOWEST_REFERENCE_MHZ
    found = best_setting(_settings(reference, lowest), wanted)
    if found is None:
        return None
    clock, (divider, feedback, output) = found
    parameters = {
        **{name: f'"{value}"' for name, value in _FIXED.items()},
        "REF_MMD_DIG": f'"{divider}"',
        "REF_MMD_PULS_CTL": f'"0b{divider > 2:04b}"',
        **dict.fromkeys(("DIVF", "DELF"), f'"{feedback - 1}"'),
        **dict.fromkeys(("DIVA", "DELA"), f'"{output - 1}"'),
        **loop_filter(reference / divider, feedback).parameters,
    }
    pins = {"REFCK": "clk", "FBKCK": "feedback", "CLKOS5": "feedback", "CLKOP": "core_clk", "LOCK": "locked"}
    pins |= {"PLLRESET": "1'b0"}
    return Pll(clock, "    wire feedback;\n" + instance("PLL", "pll", parameters, pins))
