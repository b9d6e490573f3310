"""The analog settings of Nexus' PLL: its charge pump and loop filter, chosen by Lattice's rule as LiteX has it.

Lattice's IP generator computes them. David Corrigan reimplemented what that does for LiteX (enjoy-digital/litex, pull
request 692) and compared the results with Lattice's reference designs; the loop's transfer function, the constants and
the limits here are those of ``litex/soc/cores/clock/lattice_nx.py`` at 127a5aa5, which has the reference in hertz as it
has the bandwidth (pull request 2582). Of all settings whose closed loop peaks by 0.8 to 1.35 dB, whose phase margin is
more than 45 degrees and whose bandwidth is at most a fifth of the reference, the one of greatest bandwidth is taken.
Nothing of it was measured here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

_PEAK_DB = (0.8, 1.35)
_PHASE_MARGIN = 45.0
_REFERENCE_PER_BANDWIDTH = 5.0
_STEP = 1.003  # between the frequencies at which the loop is looked at
_SLOWEST_HZ, _FASTEST_HZ = 3e5, 3e8  # no loop's bandwidth lies outside

# The loop's fixed values: farads, amperes per volt, hertz per volt, ohms.
_C3, _G3, _K1, _K3, _KI, _R1 = 20e-12, 0.2952e-3, 6, 100, 508e9, 9.8e6


@dataclass(frozen=True)
class Filter:
    """The cell's parameters, by its names but for case.

    Attributes:
        ipp_ctrl, bw_ctl_bias, ipp_sel: the factors of the proportional path's current: 1 to 4 microamperes, times 1 to
            15, times 1 to 4.
        ipi_cmp: the integral path's current in half microamperes.
        cset, cripple: picofarads.
        v2i_pp_res: ohms.
    """

    ipp_ctrl: int
    bw_ctl_bias: int
    ipp_sel: int
    ipi_cmp: int
    cset: int
    cripple: int
    v2i_pp_res: int

    @property
    def parameters(self) -> dict[str, str]:
        """As the cell takes them."""
        return {
            "IPP_CTRL": f'"0b{self.ipp_ctrl + 3:04b}"',
            "BW_CTL_BIAS": f'"0b{self.bw_ctl_bias:04b}"',
            "IPP_SEL": f'"0b{(1 << self.ipp_sel) - 1:04b}"',
            "IPI_CMP": f'"0b{self.ipi_cmp:04b}"',
            "CSET": f'"{self.cset}P"',
            "CRIPPLE": f'"{self.cripple}P"',
            "V2I_PP_RES": f'"{self.v2i_pp_res / 1e3:g}K"'.replace(".", "P"),
        }


@cache
def _filters() -> tuple[Filter, ...]:
    """All that the cell can be set to with a proportional current of 50 times the integral one."""
    currents: dict[int, tuple[int, int, int, int]] = {}  # in sixths of a microampere; equal ones count once
    for control, bias, selected, integral in product(range(1, 5), range(1, 16), range(1, 5), range(1, 16)):
        current = 10 * control * bias * selected
        if current == 50 * 3 * integral:
            currents.setdefault(current, (control, bias, selected, integral))
    capacitors = product(range(8, 69, 4), range(1, 16, 2), (9000, 9300, 9700, 10000, 10300, 10700, 11000, 11300))
    return tuple(Filter(*current, *rest) for current, rest in product(currents.values(), list(capacitors)))


def loop_filter(reference_mhz: float, feedback: int) -> Filter:
    """The setting for a phase detector's reference and the divider between it and the oscillator.

    Raises:
        ValueError: none keeps the limits.
    """
    return _best(round(reference_mhz * 1e6), feedback)


@cache
def _best(reference_hz: int, feedback: int) -> Filter:
    filters = _filters()
    proportional = np.array([f.ipp_ctrl * f.bw_ctl_bias * f.ipp_sel for f in filters]) * (5 / 3 * 1e-6)
    integral = np.array([f.ipi_cmp for f in filters]) * 0.5e-6
    cset = np.array([f.cset for f in filters]) * 1e-12
    ripple = np.array([f.v2i_pp_res * f.cripple for f in filters]) * 1e-12  # seconds
    a, b = integral * _G3 * _KI, _R1 * _C3
    c, d, e = b * cset, cset + _C3, proportional * _KI * _K1
    above = (a * (_K3 + 1), a * (ripple * (_K3 + 1) + b) + e * d, a * b * ripple + e * c)
    below = (d, d * ripple + c, c * ripple)

    margin, bandwidth = np.zeros(len(filters)), np.zeros(len(filters))
    peak = np.full(len(filters), -np.inf)
    previous = np.zeros(len(filters), complex)
    steps = int(np.log(_FASTEST_HZ / _SLOWEST_HZ) / np.log(_STEP))
    for frequency in _SLOWEST_HZ * _STEP ** np.arange(steps):
        s = 2j * np.pi * frequency
        loop = (above[0] + s * (above[1] + s * above[2])) / (
            feedback * s * s * (below[0] + s * (below[1] + s * below[2]))
        )
        closed = np.abs(loop / (1 + loop))
        crossed = (np.abs(loop) < 1) & (margin == 0)
        margin[crossed] = np.angle(-previous[crossed], deg=True)
        peak = np.maximum(peak, 20 * np.log10(closed))
        bandwidth[(20 * np.log10(closed) < -3) & (bandwidth == 0)] = frequency / _STEP
        previous = loop
        if bandwidth.all():
            break
    fits = (peak >= _PEAK_DB[0]) & (peak <= _PEAK_DB[1]) & (margin > _PHASE_MARGIN)
    fits &= (bandwidth > 0) & (bandwidth * _REFERENCE_PER_BANDWIDTH <= reference_hz)
    if not fits.any():
        raise ValueError(f"no loop filter suits a reference of {reference_hz / 1e6:g} MHz and a feedback of {feedback}")
    return filters[int(np.argmax(np.where(fits, bandwidth, 0)))]
