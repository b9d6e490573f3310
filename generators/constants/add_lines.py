"""Straight lines as the tables of an addition: multiplications of the operands by constants of few adders."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mbconv.hdl.add_constants import AddConstants
from mbconv.hdl.requantize_format import signed_bits
from mbconv.hdl.value_tables import line_adders

from ..stages.element_shape import element_shape
from .add_reference import AddReference, element_values
from .difference_constraints import UNBOUNDED

_LONGEST_SHIFT = 24  # longer ones cost more adders than a memory
_MORE_SHIFTS = 3  # beyond the least that has lines, for slopes of fewer digits
_NEIGHBOURS = range(-2, 3)
_TIGHTEST = 1024  # of the inequalities are tested first


@dataclass(frozen=True)
class Lines:
    """``first[x1] = slope · x1``, ``second[x2] = slope · x2`` and one rounding constant, right for every pair of
    operands."""

    reference: AddReference
    slopes: tuple[int, int]
    constant: int
    shift: int

    @property
    def luts(self) -> int:
        """Four-input tables of a lane."""
        found = 0
        operands = self.reference.first, self.reference.second
        for tensor, slope, constant in zip(operands, self.slopes, (self.constant, 0), strict=True):
            ends = [slope * value + constant for value in (tensor.element.minimum, tensor.element.maximum)]
            adders = line_adders(element_shape(tensor.element), slope, ends[0])
            found += adders * signed_bits(min(ends), max(ends))
        return found

    def constants(self) -> AddConstants:
        first, second = (
            tuple(slope * element_values(tensor.element))
            for slope, tensor in zip(self.slopes, (self.reference.first, self.reference.second), strict=True)
        )
        return AddConstants(
            first=first,
            second=second,
            positive=self.constant,
            negative=self.constant,
            shift=self.shift,
            zero_point=0,
            minimum=self.reference.minimum,
            maximum=self.reference.maximum,
        )


def straight_lines(reference: AddReference) -> Iterator[Lines]:
    """Lines that are exact for every pair of operands, with slopes next to the real ones.

    Slopes a little too steep round halves of both signs away from zero, as the reference does.
    """
    x1, x2 = element_values(reference.first.element), element_values(reference.second.element)
    below, above = _tightest(reference, x1[:, None], x2[None, :])
    below_operands, above_operands = ((x1[flat // x2.size], x2[flat % x2.size]) for flat in (below, above))
    last = _LONGEST_SHIFT
    shift = 0
    while shift <= last:
        near_least, near_greatest = reference.bounds(shift, below)[0], reference.bounds(shift, above)[1]
        bounds = None  # of all pairs, once they are asked for
        for m1, m2 in _slopes(reference, shift):
            lowest = near_least - (m1 * below_operands[0] + m2 * below_operands[1])
            highest = near_greatest - (m1 * above_operands[0] + m2 * above_operands[1])
            if lowest.max(initial=-UNBOUNDED) > highest.min(initial=UNBOUNDED):
                continue
            least, greatest = bounds = bounds or reference.bounds(shift)
            line = (m1 * x1)[:, None] + m2 * x2
            low, high = int((least - line).max()), int((greatest - line).min())
            if low > high:
                continue
            last = min(last, shift + _MORE_SHIFTS)
            yield Lines(reference, (m1, m2), min(max(low, 0), high), shift)
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
