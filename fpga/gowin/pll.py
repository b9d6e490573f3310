"""Gowin's rPLL with its internal feedback. Limits are Project Apicula's (``gowin_pll``), of the slowest grade."""

from __future__ import annotations

from collections.abc import Iterator

from ..flow.pll import Pll, best_setting
from ..primitives.text import instance

_DETECTOR_MHZ = (3.0, 400.0)
_OSCILLATOR_MHZ = {"GW1N": (400.0, 1200.0), "GW2A": (500.0, 1250.0)}
_OUTPUT_DIVIDERS = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)


def _settings(reference: float, oscillator: tuple[float, float]) -> Iterator[tuple[float, tuple[int, ...]]]:
    for divider in range(64):
        detector = reference / (divider + 1)
        if not _DETECTOR_MHZ[0] <= detector <= _DETECTOR_MHZ[1]:
            continue
        for feedback in range(64):
            clock = detector * (feedback + 1)
            for output in _OUTPUT_DIVIDERS:
                if oscillator[0] <= clock * output <= oscillator[1]:
                    yield clock, (divider, feedback, output)


def pll(reference: float, wanted: float, device: str) -> Pll | None:
    found = best_setting(_settings(reference, _OSCILLATOR_MHZ[device[:4]]), wanted)
    if found is None:
        return None
    clock, (divider, feedback, output) = found
    parameters = {
        "FCLKIN": f'"{reference:g}"',
        "DEVICE": f'"{device}"',
        "IDIV_SEL": str(divider),
        "FBDIV_SEL": str(feedback),
        "ODIV_SEL": str(output),
        **dict.fromkeys(("DYN_IDIV_SEL", "DYN_FBDIV_SEL", "DYN_ODIV_SEL"), '"false"'),
        "DYN_DA_EN": '"false"',
        "PSDA_SEL": '"0000"',
        "DUTYDA_SEL": '"1000"',
        "CLKFB_SEL": '"internal"',
        **dict.fromkeys(("CLKOUT_BYPASS", "CLKOUTP_BYPASS", "CLKOUTD_BYPASS"), '"false"'),
        "CLKOUTD_SRC": '"CLKOUT"',
        "CLKOUTD3_SRC": '"CLKOUT"',
        "DYN_SDIV_SEL": "2",
    }
    pins = {"CLKIN": "clk", "CLKOUT": "core_clk", "LOCK": "locked", "RESET": "1'b0", "RESET_P": "1'b0", "CLKFB": "1'b0"}
    pins |= dict.fromkeys(("FBDSEL", "IDSEL", "ODSEL"), "6'd0") | {"PSDA": "4'd0", "DUTYDA": "4'd0", "FDLY": "4'd0"}
    return Pll(clock, instance("rPLL", "pll", parameters, pins))
