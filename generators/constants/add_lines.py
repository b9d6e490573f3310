"""Straight lines as the tables of an addition: multiplications of the operands by constants of few adders."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mbconv.hdl.add_constants import AddConstants

from .add_reference import AddReference, element_values
from .difference_constraints import UNBOUNDED

_LONGEST_SHIFT = 24  # longer ones cost more adders than a memory
_MORE_SHIFTS = 3  # beyond the least that has lines, for slopes of fewer digits
_NEIGHBOURS = range(-2, 3)
_TIGHTEST = 1024  # of the inequalities are tested first


def straight_lines(reference: AddReference) -> Iterator[AddConstants]:
    """Lines that are exact for every pair of operands, with slopes next to the real ones.

    Slopes a little too steep round halves of both signs away from zero, as the reference does.
    """
    x1, x2 = element_values(reference.first.element)[:, None], element_values(reference.second.element)[None, :]
    below, above = _tightest(reference, x1, x2)
    last = _LONGEST_SHIFT
    shift = 0
    while shift <= last:
        least, greatest = reference.bounds(shift)
        near_least, near_greatest = least.ravel()[below], greatest.ravel()[above]
        for m1, m2 in _slopes(reference, shift):
            line = m1 * x1 + m2 * x2
            near = line.ravel()
            if (near_least - near[below]).max(initial=-UNBOUNDED) > (near_greatest - near[above]).min(
                initial=UNBOUNDED
            ):
                continue
            low, high = int((least - line).max()), int((greatest - line).min())
            if low > high:
                continue
            last = min(last, shift + _MORE_SHIFTS)
            constant = min(max(low, 0), high)
            yield AddConstants(
                first=tuple(m1 * x1[:, 0]),
                second=tuple(m2 * x2[0]),
                positive=constant,
                negative=constant,
                shift=shift,
                zero_point=0,
                minimum=reference.minimum,
                maximum=reference.maximum,
            )
        shift += 1


def _slopes(reference: AddReference, shift: int) -> list[tuple[int, int]]:
    """Pairs of integers near the real slopes times 2^shift: around them, and around multiples of their ratio."""
    scales = reference.first.scale, reference.second.scale
    real = [math.ldexp(scale / reference.output.scale, shift) for scale in scales]
    small, large = (0, 1) if real[0] <= real[1] else (1, 0)
    pairs = set()
    for step in _NEIGHBOURS:
        slope = round(real[small]) + step
        for centre in (real[large], slope * (real[large] / real[small])):
            for offset in _NEIGHBOURS:
                pair = [slope, slope]
                pair[large] = round(centre) + offset
                pairs.add(tuple(pair))
    return sorted(pair for pair in pairs if min(pair) >= 0)


def _tightest(reference: AddReference, x1: np.ndarray, x2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flat indices of the pairs nearest to a smaller and to a greater result under the real slopes."""
    centred = [
        tensor.scale / reference.output.scale * (x - tensor.zero_point)
        for tensor, x in ((reference.first, x1), (reference.second, x2))
    ]
    excess = centred[0] + centred[1] + reference.output.zero_point + 0.5 - reference.results
    indices = []
    for slack, exists in (
        (excess, reference.results > reference.minimum),
        (1 - excess, reference.results < reference.maximum),
    ):
        flat = np.where(exists, slack, np.inf).ravel()
        count = min(_TIGHTEST, flat.size - 1)
        nearest = np.argpartition(flat, count)[:count]
        indices.append(nearest[np.isfinite(flat[nearest])])
    return indices[0], indices[1]
