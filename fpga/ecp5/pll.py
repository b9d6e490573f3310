"""ECP5's EHXPLLL with its output as feedback. Limits of the phase detector and the oscillator are those of Project
Trellis' ``ecppll``, and so are the charge pump's attributes."""

from __future__ import annotations

from collections.abc import Iterator

from ..flow.pll import Pll, best_setting
from ..primitives.text import instance

_DETECTOR_MHZ = (3.125, 400.0)
_OSCILLATOR_MHZ = (400.0, 800.0)


def _settings(reference: float) -> Iterator[tuple[float, tuple[int, ...]]]:
    for divider in range(1, 129):
        detector = reference / divider
        if not _DETECTOR_MHZ[0] <= detector <= _DETECTOR_MHZ[1]:
            continue
        for feedback in range(1, 81):
            clock = detector * feedback
            # The output divider nearest to the middle of the oscillator's range.
            outputs = [out for out in range(1, 129) if _OSCILLATOR_MHZ[0] <= clock * out <= _OSCILLATOR_MHZ[1]]
            if outputs:
                yield clock, (divider, feedback, min(outputs, key=lambda out: abs(clock * out - 600)))


def pll(reference: float, wanted: float) -> Pll | None:
    found = best_setting(_settings(reference), wanted)
    if found is None:
        return None
    clock, (divider, feedback, output) = found
    parameters = {
        **dict.fromkeys(("PLLRST_ENA", "INTFB_WAKE", "STDBY_ENABLE", "DPHASE_SOURCE"), '"DISABLED"'),
        **{f"OUTDIVIDER_MUX{letter}": f'"DIV{letter}"' for letter in "ABCD"},
        "CLKI_DIV": str(divider),
        "CLKOP_ENABLE": '"ENABLED"',
        "CLKOP_DIV": str(output),
        "CLKOP_CPHASE": str(output // 2 - 1 if output > 1 else 0),
        "CLKOP_FPHASE": "0",
        "FEEDBK_PATH": '"CLKOP"',
        "CLKFB_DIV": str(feedback),
    }
    pins = {
        **dict.fromkeys(("RST", "STDBY", "PHASESEL0", "PHASESEL1", "PLLWAKESYNC", "ENCLKOP"), "1'b0"),
        **dict.fromkeys(("PHASEDIR", "PHASESTEP", "PHASELOADREG"), "1'b1"),
        "CLKI": "clk",
        "CLKOP": "core_clk",
        "CLKFB": "core_clk",
        "LOCK": "locked",
    }
    attributes = (
        f'    (* FREQUENCY_PIN_CLKI="{reference:g}", FREQUENCY_PIN_CLKOP="{clock:g}", ICP_CURRENT="12", '
        'LPF_RESISTOR="8", MFG_ENABLE_FILTEROPAMP="1", MFG_GMCREF_SEL="2" *)\n'
    )
    return Pll(clock, attributes + instance("EHXPLLL", "pll", parameters, pins))
