"""The reference's requantisation as step functions: exact integer evaluation, and the positions of their steps.

Every requantisation rule here is non-decreasing in the accumulator, so it is described completely by the accumulators
at which its output reaches each level. Two rules with the same positions are equal everywhere: that is how a cheaper
circuit is proved.

All arithmetic is numpy ``int64`` over arrays whose first axis is the channel; nothing here is shared with the golden
model.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from ..graph.graph import Activation, Element, GraphError

_INT32 = 1 << 31


def quantize_multiplier(real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """TFLite's ``QuantizeMultiplier``: ``real ≈ q · 2^(e − 31)`` with q rounded half up from the 53-bit fraction.

    Returns:
        ``(q, e)``, int64 arrays of the shape of ``real``; q is 0 or in [2^30, 2^31). A multiplier below 2^-32 becomes
        0, as there.
    """
    fraction, exponent = np.frexp(np.asarray(real, np.float64))
    q = np.floor(fraction * _INT32 + 0.5).astype(np.int64)
    exponent = exponent.astype(np.int64)
    full = q == _INT32
    q, exponent = np.where(full, q // 2, q), exponent + full
    tiny = exponent < -31
    return np.where(tiny, 0, q), np.where(tiny, 0, exponent)


def rounding_high_multiply(value: np.ndarray, q: np.ndarray) -> np.ndarray:
    """gemmlowp's ``SaturatingRoundingDoublingHighMul``: value · q / 2^31, halves rounded up.

    gemmlowp writes it as a division that truncates after a nudge chosen by the product's sign; for every product that
    is the floor of (product + 2^30) / 2^31. It saturates only for two factors of −2^31, which q never is.
    """
    return (value * q + (1 << 30)) >> 31


def rounding_divide_by_power(value: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """gemmlowp's ``RoundingDivideByPOT``: value / 2^exponent, halves rounded away from zero."""
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (value < 0)
    return (value >> exponent) + ((value & mask) > threshold)


def multiply_by_quantized_multiplier(value: np.ndarray, q: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """TFLite's double rounding: left shift, rounding high multiply, rounding right shift."""
    left, right = np.maximum(exponent, 0), np.maximum(-exponent, 0)
    return rounding_divide_by_power(rounding_high_multiply(value << left, q), right)


def round_half_away(value: float) -> int:
    """The nearest integer, halves away from zero, as C's ``round``."""
    return int(np.copysign(np.floor(np.abs(value) + 0.5), value))


def activation_limits(activation: Activation, element: Element, scale: float, zero_point: int) -> tuple[int, int]:
    """The least and greatest output of a fused activation, TFLite's ``CalculateActivationRangeQuantized`` (float32)."""
    minimum, maximum = element.minimum, element.maximum
    if activation in (Activation.RELU, Activation.RELU6, Activation.RELU_0_TO_1):
        minimum = max(minimum, zero_point)
    if activation is Activation.RELU6:
        maximum = min(maximum, zero_point + round_half_away(np.float32(6.0) / np.float32(scale)))
    if activation is Activation.RELU_0_TO_1:
        maximum = min(maximum, zero_point + round_half_away(np.float32(1.0) / np.float32(scale)))
    if activation is Activation.RELU_N1_TO_1:
        one = round_half_away(np.float32(1.0) / np.float32(scale))
        minimum, maximum = max(minimum, zero_point - one), min(maximum, zero_point + one)
    return minimum, maximum


@dataclass(frozen=True, eq=False)
class Rule:
    """A non-decreasing requantisation of one integer for each of C channels.

    ``exact`` is the unlimited result less the zero point; ``slope`` its approximate derivative, ``[C]``, used only as
    a first guess.
    """

    channels: int
    zero_point: int
    minimum: int
    maximum: int

    def __post_init__(self) -> None:
        if self.minimum > self.maximum:
            raise GraphError(f"the activation's limits {self.minimum}..{self.maximum} leave no output")

    @property
    def slope(self) -> np.ndarray:
        raise NotImplementedError

    def exact(self, sums: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def __getitem__(self, chosen: np.ndarray) -> Rule:
        """The rule of some channels, in any order."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        parts = {name: values[chosen] for name, values in own.items() if isinstance(values, np.ndarray)}
        return replace(self, channels=chosen.size, **parts)

    def guessed_steps(self, levels: np.ndarray) -> np.ndarray:
        """About the least sum that gives each output or more, int64 ``[C, levels]``."""
        slope = np.maximum(self.slope, 2.0**-40)[:, None]
        exact = (levels - self.zero_point - 0.5) / slope + self._beyond(levels)
        return np.ceil(np.clip(exact, -(2.0**40), 2.0**40)).astype(np.int64)

    def _beyond(self, levels: np.ndarray) -> np.ndarray:
        """How many sums farther a step is than where the slope reaches the half before its level, about."""
        return np.zeros((1, levels.size))

    @property
    def still(self) -> np.ndarray:
        """Channels that give one output for all sums of 32 bits, bool ``[C]``."""
        ends = np.broadcast_to(np.array([-_INT32, _INT32 - 1], np.int64), (self.channels, 2))
        outputs = self.evaluate(ends)
        return outputs[:, 0] == outputs[:, 1]

    def check_range(self, low: np.ndarray, high: np.ndarray) -> None:
        """Refuse sums for which the reference itself would overflow."""

    def evaluate(self, sums: np.ndarray) -> np.ndarray:
        """Outputs for sums ``[C, …]``."""
        return np.clip(self.exact(np.asarray(sums, np.int64)) + self.zero_point, self.minimum, self.maximum)

    @property
    def levels(self) -> np.ndarray:
        """The outputs that a step leads to: every one but the least."""
        return np.arange(self.minimum + 1, self.maximum + 1, dtype=np.int64)


def _column(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    return values.reshape(-1, *([1] * (like.ndim - 1)))


@dataclass(frozen=True, eq=False)
class AffineRule(Rule):
    """TFLite's multiplier with double rounding: ``q``, ``exponent`` are int64 ``[C]``. MEAN is one too."""

    q: np.ndarray
    exponent: np.ndarray

    @property
    def slope(self) -> np.ndarray:
        return np.ldexp(self.q.astype(np.float64), (self.exponent - 31).astype(np.int32))

    def check_range(self, low: np.ndarray, high: np.ndarray) -> None:
        largest = np.maximum(np.abs(low), np.abs(high)) << np.maximum(self.exponent, 0)
        if np.any(largest >= _INT32):
            over = np.flatnonzero(largest >= _INT32)
            channel, more = int(over[0]), f" and {over.size - 1} more" if over.size > 1 else ""
            raise GraphError(
                f"channel {channel}{more}: sums up to {largest[channel]} overflow the reference's own 32 bits and turn "
                "over, which no circuit does: its bias, weights or scales are damaged"
            )

    def _beyond(self, levels: np.ndarray) -> np.ndarray:
        """The first of two roundings gives or takes half of what it leaves, where there is a second."""
        half = np.where(self.exponent < 0, 2.0**30, 0.0) / np.maximum(self.q, 1)
        return np.where(levels > self.zero_point, -half[:, None], half[:, None])

    def exact(self, sums: np.ndarray) -> np.ndarray:
        return multiply_by_quantized_multiplier(sums, _column(self.q, sums), _column(self.exponent, sums))


@dataclass(frozen=True, eq=False)
class RealRule(AffineRule):
    """LiteRT's FULLY_CONNECTED: sums times a real multiplier ``[C]`` in double precision, rounded once, halves away
    from zero (``integer_ops/fully_connected.h``). ``q`` and ``exponent`` are the same multiplier, for the search."""

    real: np.ndarray

    def _beyond(self, levels: np.ndarray) -> np.ndarray:
        return np.zeros((1, levels.size))

    def exact(self, sums: np.ndarray) -> np.ndarray:
        magnitude = np.abs(sums.astype(np.float64) * _column(self.real, sums))
        whole = np.floor(magnitude)
        rounded = (whole + (magnitude - whole >= 0.5)).astype(np.int64)
        return np.where(sums < 0, -rounded, rounded)


@dataclass(frozen=True, eq=False)
class ShiftRule(Rule):
    """Binary fixed point: a right shift (left where negative), ``[C]``, halves rounded up."""

    shift: np.ndarray

    @property
    def slope(self) -> np.ndarray:
        return np.ldexp(1.0, (-self.shift).astype(np.int32))

    def exact(self, sums: np.ndarray) -> np.ndarray:
        left, right = np.maximum(-self.shift, 0), np.maximum(self.shift, 0)
        half = (np.int64(1) << right) >> 1
        return ((sums << _column(left, sums)) + _column(half, sums)) >> _column(right, sums)


@dataclass(frozen=True, eq=False)
class AverageRule(Rule):
    """AVERAGE_POOL_2D: the sum of ``count`` raw integers, int64 ``[C]``, divided by it, halves away from zero."""

    count: np.ndarray

    @property
    def slope(self) -> np.ndarray:
        return 1.0 / self.count

    def exact(self, sums: np.ndarray) -> np.ndarray:
        count = _column(self.count, sums)
        magnitude = (np.abs(sums) + count // 2) // count
        return np.where(sums < 0, -magnitude, magnitude)


def step_positions(rule: Rule, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """For each channel and level, the least sum in [low, high] with that output or more; ``high + 1`` where there is
    none.

    Bisection on the exact rule; the rule's guesses narrow the bracket first, and are themselves tested, so they can
    cost time only.

    Args:
        low, high: reachable sums, int64 ``[C]``.

    Returns:
        int64 ``[C, levels]``, non-decreasing along the levels.
    """
    rule.check_range(low, high)
    levels = rule.levels
    shape = rule.channels, levels.size
    below = np.broadcast_to(low[:, None] - 1, shape).copy()  # outputs less than the level
    above = np.broadcast_to(high[:, None] + 1, shape).copy()  # outputs at least the level, or out of reach
    guess = rule.guessed_steps(levels)
    for offset in (-1, 0):
        probe = np.clip(guess + offset, low[:, None], high[:, None])
        less = rule.evaluate(probe) < levels
        np.maximum(below, probe, out=below, where=less)
        np.minimum(above, probe, out=above, where=~less)
    # Most are found; of the others each is bisected alone, after probes a little farther away.
    channel, level = np.nonzero(above - below > 1)
    rule, left, right, wanted = rule[channel], below[channel, level], above[channel, level], levels[level]
    near, offsets = guess[channel, level], [-8, 8]
    while (gap := right - left).max(initial=1) > 1:
        middle = np.clip(near + offsets.pop(), left + 1, right - 1) if offsets else left + (gap >> 1)
        less, moves = rule.evaluate(middle) < wanted, gap > 1
        left, right = np.where(moves & less, middle, left), np.where(moves & ~less, middle, right)
    above[channel, level] = right
    return above
