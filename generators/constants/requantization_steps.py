"""Which multipliers, constants and shifts reproduce given steps: linear inequalities in integers.

The circuit computes ``floor((s·m + c + half) / 2^n)`` with a constant c for s < 0 and another for s ≥ 0. It steps to
level j exactly at the sum T when ``T·m + c + half ≥ j·2^n`` and ``(T − 1)·m + c + half < j·2^n``. Each region, negative
and non-negative, has inequalities of its own, at the steps within it and at its ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .corners import Corners, corners

_FAR = np.int64(1) << 60


@dataclass(frozen=True, eq=False)
class Region:
    """The inequalities of one sign that bind: at sums ``lower`` the level is reached, at sums ``upper`` it is not."""

    lower: Corners
    upper: Corners


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of C channels over their reachable sums.

    Args:
        positions: int64 ``[C, J]``, least sum in [low, high] with level j or more, ``high + 1`` where there is none.
        levels: int64 ``[J]``, less the zero point.
        low, high: reachable sums, int64 ``[C]``.
        slope: approximate slope, ``[C]``.
    """

    positions: np.ndarray
    levels: np.ndarray
    low: np.ndarray
    high: np.ndarray
    slope: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """Which steps lie within the reachable sums, bool ``[C, J]``."""
        return (self.positions > self.low[:, None]) & (self.positions <= self.high[:, None])

    def __getitem__(self, channels: np.ndarray) -> Steps:
        return Steps(
            self.positions[channels], self.levels, self.low[channels], self.high[channels], self.slope[channels]
        )

    @cached_property
    def regions(self) -> tuple[Region, Region]:
        """Negative and non-negative sums."""
        return (
            self._region(self.low, np.minimum(self.high, -1)),
            self._region(np.maximum(self.low, 0), self.high),
        )

    def _region(self, first: np.ndarray, last: np.ndarray) -> Region:
        first, last = first[:, None], last[:, None]
        exists, positions = first <= last, self.positions
        return Region(
            corners(np.maximum(positions, first), self.levels, (positions <= last) & exists, least=True),
            corners(np.minimum(positions - 1, last), self.levels, (positions > first) & exists, least=False),
        )

    def constants(
        self, multiplier: np.ndarray, shift: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The constants that a multiplier and shift ``[C]`` admit: negative least, greatest, positive least, greatest.

        Least > greatest where there are none; ±2^60 where a side is free.
        """
        bounds = []
        for region in self.regions:
            reached = _thresholds(region.lower, shift) - multiplier[:, None] * region.lower.sums
            bounds.append(np.where(region.lower.exists, reached, -_FAR).max(1, initial=-_FAR))
            missed = _thresholds(region.upper, shift) - multiplier[:, None] * region.upper.sums
            bounds.append(np.where(region.upper.exists, missed, _FAR + 1).min(1, initial=_FAR + 1) - 1)
        return tuple(bounds)

    def multipliers(
        self, negative: np.ndarray, positive: np.ndarray, shift: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The least and greatest positive multiplier that given constants and shift ``[C]`` admit (least > greatest:
        none)."""
        least, greatest = np.ones(len(self.low), np.int64), np.full(len(self.low), _FAR)
        for region, constant in zip(self.regions, (negative, positive), strict=True):
            # m · slope ≤ bound, where present
            for bound, slope, present in (
                (constant[:, None] - _thresholds(region.lower, shift), -region.lower.sums, region.lower.exists),
                (_thresholds(region.upper, shift) - constant[:, None] - 1, region.upper.sums, region.upper.exists),
            ):
                limit = np.floor_divide(
                    bound, np.abs(slope), out=np.full(bound.shape, _FAR), where=present & (slope != 0)
                )
                least = np.maximum(least, np.where(slope < 0, -limit, 1).max(1, initial=1))
                greatest = np.minimum(greatest, np.where(slope > 0, limit, _FAR).min(1, initial=_FAR))
                greatest = np.where((present & (slope == 0) & (bound < 0)).any(1), 0, greatest)
        return least, greatest

    def slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """The open interval of real slopes m / 2^n with which some constants exist, float64 ``[C]`` twice.

        Newton's method from far outside: at a slope without constants the pair of inequalities that contradict each
        other most bounds the slope; the bound is the next slope. Limits beyond 2^±16 of the given slope are not looked
        for.
        """
        low, high = self.slope * 2.0**-16, self.slope * 2.0**16
        for region in self.regions:
            low = np.maximum(low, self._slope_limit(region, upwards=True))
            high = np.minimum(high, self._slope_limit(region, upwards=False))
        return low, high

    def _slope_limit(self, region: Region, upwards: bool) -> np.ndarray:
        """The limit that one sign's inequalities set from below (``upwards``) or above. Channels whose slope is found
        are left out of what follows."""
        slope = self.slope * (2.0**-16 if upwards else 2.0**16)
        active = np.flatnonzero(region.lower.exists.any(1) & region.upper.exists.any(1))
        at_lower, at_upper = region.lower[active], region.upper[active]
        reach = np.where(at_lower.exists, at_lower.levels.astype(np.float64), -np.inf)
        miss = np.where(at_upper.exists, at_upper.levels.astype(np.float64), np.inf)
        lower, upper = at_lower.sums.astype(np.float64), at_upper.sums.astype(np.float64)
        for _ in range(100):
            now, rows = slope[active], np.arange(active.size)
            j = (reach - now[:, None] * lower).argmax(1)
            k = (miss - now[:, None] * upper).argmin(1)
            run, rise = upper[rows, k] - lower[rows, j], miss[rows, k] - reach[rows, j]
            # The pair says slope · run < rise.
            contradicts = (now * run >= rise) & ((run < 0) if upwards else (run > 0))
            following = np.where(contradicts, rise / np.where(contradicts, run, 1), now)
            if np.allclose(following, now, rtol=1e-14, atol=0):
                break
            slope[active] = following
            moved = following != now
            if 2 * np.count_nonzero(moved) < active.size:
                active, reach, miss, lower, upper = (a[moved] for a in (active, reach, miss, lower, upper))
        return slope


def _thresholds(at: Corners, shift: np.ndarray) -> np.ndarray:
    """What reaches the corners' levels, before a right shift ``[C]`` that rounds."""
    return (at.levels << shift[:, None]) - ((np.int64(1) << shift) >> 1)[:, None]
