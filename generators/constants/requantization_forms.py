"""The forms of a requantisation that may be exact for a stage's channels, and their constants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..planning.search import find_least
from .requantization_steps import Steps
from .step_function import AffineRule, Rule

_LONGEST_SHIFT = 46
_SHIFT_BITS = 5  # at most, of a channel's own shift
_WIDEST = 31  # bits of a multiplier


@dataclass(frozen=True, eq=False)
class Reachable:
    """What is known of C channels: reachable accumulators, the reference's bias, and the output at ``low``; int64
    ``[C]``."""

    low: np.ndarray
    high: np.ndarray
    bias: np.ndarray
    first_output: np.ndarray
    rule: Rule


@dataclass(frozen=True, eq=False)
class Solution:
    """Constants of C channels, int64 ``[C]``; ``shift`` is the whole right shift."""

    form: str
    bias: np.ndarray
    multiplier: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    shift: np.ndarray


def solutions(rule: Rule, steps: Steps, reachable: Reachable) -> Iterator[Solution]:
    """Solutions of every form that has one, complete with the channels that have no step."""
    moving = steps.inside.any(1)
    found = _moving_solutions(rule, steps[moving], reachable.bias[moving], moving)
    for solution in found if moving.any() else _still_solution():
        whole = _with_still_channels(solution, moving, reachable)
        if whole is not None:
            yield whole


def _still_solution() -> Iterator[Solution]:
    """Where no channel has a step."""
    none = np.zeros(0, np.int64)
    yield Solution("shift", none, none, none, none, none)


def _moving_solutions(rule: Rule, steps: Steps, bias: np.ndarray, moving: np.ndarray) -> Iterator[Solution]:
    least, greatest = steps.slopes()
    if solution := _shift_form(steps, bias, least, greatest):
        yield solution
    if isinstance(rule, AffineRule) and (solution := _common_form(steps, bias, rule.exponent[moving], rule.q[moving])):
        yield solution
    yield from _word_forms(steps, bias, least, greatest)


def _shift_form(steps: Steps, bias: np.ndarray, least: np.ndarray, greatest: np.ndarray) -> Solution | None:
    """Multiplier 1: every channel's interval of slopes holds a power of two."""
    shortest = np.floor(-np.log2(greatest)).astype(np.int64) + 1
    longest = np.ceil(-np.log2(least)).astype(np.int64) - 1
    shortest, longest = np.maximum(shortest, 0), np.minimum(longest, _LONGEST_SHIFT)
    if np.any(shortest > longest):
        return None
    if shortest.max() <= longest.min():
        nearest = int(np.round(-np.log2(np.median(steps.slope))))
        shift = np.full(len(bias), np.clip(nearest, shortest.max(), longest.min()), np.int64)
    else:
        shift = np.clip(np.round(-np.log2(steps.slope)).astype(np.int64), np.maximum(shortest, 1), longest)
        if np.any(shift < shortest) or np.ptp(shift) >= 1 << _SHIFT_BITS:
            return None
    one = np.ones_like(bias)
    bounds = steps.constants(one, shift)
    negative_least, negative_greatest, positive_least, positive_greatest = bounds
    if np.any(negative_least > negative_greatest) or np.any(positive_least > positive_greatest):
        return None
    folded_least = np.maximum(negative_least, positive_least)
    folded_greatest = np.minimum(negative_greatest, positive_greatest)
    if np.all(folded_least <= folded_greatest):  # one constant for both signs is part of the bias
        zero = np.zeros_like(bias)
        return Solution("shift", bias + np.clip(zero, folded_least, folded_greatest), one, zero, zero, shift)
    return Solution("shift", bias, one, *_choose_constants(bounds), shift)


def _choose_constants(bounds: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Positive and negative constants: one pair for all channels if any, equal for both signs if any; the smallest."""
    negative_least, negative_greatest, positive_least, positive_greatest = bounds
    negative = (negative_least.max(), negative_greatest.min())
    positive = (positive_least.max(), positive_greatest.min())
    if negative[0] <= negative[1] and positive[0] <= positive[1]:
        both = (max(negative[0], positive[0]), min(negative[1], positive[1]))
        if both[0] <= both[1]:
            negative = positive = both
        shape = positive_least.shape
        return np.full(shape, np.clip(0, *positive)), np.full(shape, np.clip(0, *negative))
    return np.clip(0, positive_least, positive_greatest), np.clip(0, negative_least, negative_greatest)


def _common_form(steps: Steps, bias: np.ndarray, exponent: np.ndarray, q: np.ndarray) -> Solution | None:
    """TFLite's own multiplier cut to D bits.

    With 31 bits the reference is the circuit: its first rounding adds 2^30 to s·q, its second half of the rest for
    positive and just less than half for negative results, which is the constant ± 2^30 beside rounding half up at 31 −
    e bits (0 where e ≥ 0: there is no second rounding). Cut to D bits the constant is ± 2^(D−1). The least D is taken
    for which every channel has a multiplier.
    """
    second = exponent < 0
    if np.any(q == 0) or np.ptp(exponent) >= 1 << _SHIFT_BITS or (second.any() and not second.all()):
        return None
    # With a digit more, twice the multiplier and the constant are the same function: so bisection finds the least, and
    # the bounds of the most digits, rounded up, are those of fewer (⌈⌈x⌉ / 2^k⌉ is ⌈x / 2^k⌉).
    fewest, most = max(8, 1 + int(exponent.max())), min(_WIDEST, _LONGEST_SHIFT + int(exponent.min()))
    if fewest > most:
        return None
    widest = _first_rounding(second, most)
    least, greatest = steps.multipliers(-widest, widest, most - exponent)

    def attempt(digits: int) -> tuple[int, tuple[int, np.ndarray]] | None:
        cut = most - digits
        lowest = -(-least >> cut)
        highest = np.minimum(-(-(greatest + 1) >> cut) - 1, (np.int64(1) << digits) - 1)
        if np.any(lowest > highest):
            return None
        wanted = (q + (np.int64(1) << (31 - digits) >> 1)) >> (31 - digits)
        return digits, (digits, np.clip(wanted, lowest, highest))

    found = find_least(fewest - 1, most, attempt, 4)
    if found is None:
        return None
    digits, multiplier = found
    shift, positive = digits - exponent, _first_rounding(second, digits)
    bounds = steps.constants(multiplier, shift)
    one_sign = np.all(np.maximum(bounds[0], bounds[2]) <= positive) and np.all(positive <= bounds[1])
    return Solution("common", bias, multiplier, positive, positive if one_sign else -positive, shift)


def _first_rounding(second: np.ndarray, digits: int) -> np.ndarray:
    """What the reference's first rounding adds to the product of a multiplier of so many digits."""
    return np.where(second, np.int64(1) << (digits - 1), 0)


def _word_forms(steps: Steps, bias: np.ndarray, least: np.ndarray, greatest: np.ndarray) -> Iterator[Solution]:
    """For each width of a channel's own shift, the narrowest multipliers, with whatever constants they need."""
    shifts = np.arange(_LONGEST_SHIFT + 1)
    scale = 2.0**shifts
    smallest = np.floor(least[:, None] * (1 + 1e-13) * scale) + 1
    exists = smallest < greatest[:, None] * (1 - 1e-13) * scale
    bits = np.where(exists, np.floor(np.log2(smallest)) + 1, 99).astype(np.int64)
    narrowest, fewest = None, bits
    for shift_bits in range(_SHIFT_BITS):
        window = 1 << shift_bits
        if shift_bits:  # of the bits for so many shifts from each on
            fewest = np.minimum(fewest[:, : -(window // 2)], fewest[:, window // 2 :])
        first = 0 if shift_bits == 0 else 1
        need = fewest[:, first:].max(0)
        width = int(need.min())
        if width > _WIDEST or (narrowest is not None and width >= narrowest):
            continue
        narrowest = width
        start = first + int(need.argmin())
        chosen = start + bits[:, start : start + window].argmin(1)
        rows = np.arange(len(bias))
        low = smallest[rows, chosen].astype(np.int64)
        high = np.ceil(greatest * scale[chosen]).astype(np.int64) - 1
        multiplier = np.maximum(low, (low + np.minimum(high, (1 << width) - 1)) // 2)
        bounds = steps.constants(multiplier, chosen)
        if np.any(bounds[0] > bounds[1]) or np.any(bounds[2] > bounds[3]):
            continue
        yield Solution("word", bias, multiplier, *_choose_constants(bounds), chosen)


def _with_still_channels(solution: Solution, moving: np.ndarray, reachable: Reachable) -> Solution | None:
    """Add the channels whose output is constant over all reachable accumulators; None if the form cannot express one.

    Their biases (in pruned channels anything up to 32 bits) and multipliers are replaced by ones that put the sums into
    the middle of the output's plateau, so that they need no wider circuit than the others.
    """
    still = np.flatnonzero(~moving)
    if not still.size:
        return solution
    whole = Solution(solution.form, *(np.zeros(len(moving), np.int64) for _ in range(5)))
    for name in ("bias", "multiplier", "positive", "negative", "shift"):
        getattr(whole, name)[moving] = getattr(solution, name)
    rule = reachable.rule
    low, high = reachable.low[still], reachable.high[still]
    level = reachable.first_output[still] - rule.zero_point
    # A plateau is 2^shift sums wide at a multiplier of 1; those of the least and greatest output have no end.
    width = np.ceil(np.log2(high - low + 1)).astype(np.int64) + 1
    width = np.where(
        (reachable.first_output[still] > rule.minimum) & (reachable.first_output[still] < rule.maximum), width, 0
    )
    shift = np.maximum(width, solution.shift.max() if solution.shift.size else 1)
    one = solution.form == "shift"
    widest = int(solution.multiplier.max(initial=1))
    half = (np.int64(1) << shift) >> 1
    multiplier = np.ones_like(low) if one else np.clip(half // (high - low + 1), 1, widest)
    common = solution.positive.size and np.ptp(solution.positive) == 0 and np.ptp(solution.negative) == 0
    positive = np.full_like(low, solution.positive[0] if common else 0)
    negative = np.full_like(low, solution.negative[0] if common else 0)

    def outputs(bias: np.ndarray, accumulators: np.ndarray) -> np.ndarray:
        sums = accumulators + bias
        products = sums * multiplier + np.where(sums < 0, negative, positive) + half
        return np.clip((products >> shift) + rule.zero_point, rule.minimum, rule.maximum)

    wanted = reachable.first_output[still]
    middle = (level << shift) // multiplier - (low + high) // 2
    reach = ((np.int64(1) << shift) + np.abs(positive) + np.abs(negative)) // multiplier + 1
    below, above = middle - reach - (high - low), middle + reach + (high - low)
    bias = np.where(wanted == rule.minimum, below, np.where(wanted == rule.maximum, above, middle))
    for candidate in (middle, bias):
        right = (outputs(candidate, low) == wanted) & (outputs(candidate, high) == wanted)
        bias = np.where(right, candidate, bias)
        if candidate is middle:
            middle_right = right
    bias = np.where(middle_right, middle, bias)
    if np.any((outputs(bias, low) != wanted) | (outputs(bias, high) != wanted)):
        return None
    for name, values in (
        ("bias", bias),
        ("multiplier", multiplier),
        ("positive", positive),
        ("negative", negative),
        ("shift", shift),
    ):
        getattr(whole, name)[still] = values
    return whole
