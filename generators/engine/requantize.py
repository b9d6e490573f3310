"""The constants with which the engine requantises, found for each channel and proved equal to the reference.

One multiplier of ``multiplier_bits`` and one right shift a channel, and two rounding constants an instruction, by the
sign of the sum, that a channel takes or leaves. With a multiplier of 31 bits and the constants ± 2^30 that is TFLite's
own double rounding; over the reachable sums fewer bits do. The proof is the pipeline's
(:func:`~mbconv.generators.constants.requantization.prove`): both sides of every step of every channel are compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mbconv.hdl.engine.finish import constants_layout, multiplier_digits
from mbconv.hdl.engine.parameters import SHIFT_BITS, EngineParameters

from ..constants.requantization import Proof, prove
from ..constants.requantization_steps import Steps
from ..constants.step_function import AffineRule, Rule, step_positions
from ..graph.graph import GraphError


@dataclass(frozen=True, eq=False)
class ChannelConstants:
    """Constants of C channels, int64 ``[C]``; ``shift`` is the whole right shift, ``rounded`` 0 or 1."""

    bias: np.ndarray
    multiplier: np.ndarray
    shift: np.ndarray
    rounded: np.ndarray

    def packed(self, parameters: EngineParameters) -> list[int]:
        """A word of constants for each channel."""
        words = []
        digits = [multiplier_digits(parameters, int(multiplier)) for multiplier in self.multiplier]
        values = (self.bias, digits, self.shift - parameters.least_shift, self.rounded)
        for channel in zip(*values, strict=True):
            word, offset = 0, 0
            for value, shape in zip(channel, constants_layout(parameters).members.values(), strict=True):
                word |= (int(value) & ((1 << shape.width) - 1)) << offset
                offset += shape.width
            words.append(word)
        return words


@dataclass(frozen=True, eq=False)
class EngineRequantization:
    """What an instruction and its channels hold, and what it computes."""

    parameters: EngineParameters
    words: ChannelConstants
    positive: int
    negative: int
    zero_point: int
    minimum: int
    maximum: int
    proof: Proof | None = None

    @property
    def sum_bits(self) -> int:
        return self.parameters.accumulator_bits

    @property
    def accumulator_bits(self) -> int:
        return self.parameters.lane_bits

    def compute(self, accumulators: np.ndarray, words: ChannelConstants) -> np.ndarray:
        """What :class:`~mbconv.hdl.engine.finish.Finish` computes for accumulators ``[C, n]``: int64 ``[C, n]``."""
        s = np.asarray(accumulators, np.int64) + words.bias[:, None]
        constant = np.where(s < 0, self.negative, self.positive) * words.rounded[:, None]
        n = words.shift[:, None]
        half = np.int64(1) << (n - 1)
        result = (s * words.multiplier[:, None] + constant + half) >> n
        return np.clip(np.clip(result, -512, 511) + self.zero_point, self.minimum, self.maximum)


def engine_requantization(
    rule: Rule, low: np.ndarray, high: np.ndarray, bias: np.ndarray, parameters: EngineParameters, name: str
) -> EngineRequantization:
    """Constants for C channels.

    Args:
        rule: the reference, a function of accumulator + bias.
        low, high: reachable accumulators, int64 ``[C]``.
        bias: of the reference, int64 ``[C]``.
        name: begins the message of an error.

    Raises:
        GraphError: no constants of this engine are exact, or a sum has more bits than its accumulators.
    """
    low, high, bias = (np.broadcast_to(np.asarray(a, np.int64), (rule.channels,)) for a in (low, high, bias))
    bias = np.where(rule.still, 0, bias)  # of pruned channels: anything up to 32 bits
    try:
        positions = step_positions(rule, low + bias, high + bias)
    except GraphError as error:
        raise GraphError(f"{name}: {error}") from None
    steps = Steps(positions, rule.levels - rule.zero_point, low + bias, high + bias, rule.slope)
    lanes = np.maximum(np.abs(low), np.abs(high))
    if np.any(lanes >> (parameters.lane_bits - 1)):
        raise GraphError(
            f"{name} reaches sums of {int(lanes.max()).bit_length() + 1} bits in a lane; the engine has lane_bits = "
            f"{parameters.lane_bits}"
        )
    limit = 1 << (parameters.accumulator_bits - 1)
    moving = steps.inside.any(1)
    widest = np.maximum.reduce([np.abs(low), np.abs(high), *(np.abs(end + bias) * moving for end in (low, high))])
    if np.any(widest >= limit):
        raise GraphError(
            f"{name} reaches sums of {int(widest.max()).bit_length() + 1} bits; the engine has accumulator_bits = "
            f"{parameters.accumulator_bits}"
        )
    found = _search(rule, steps, bias, moving, parameters) if moving.any() else _none_moves(bias, parameters)
    if found is None:
        raise GraphError(
            f"{name}: no multiplier of multiplier_bits = {parameters.multiplier_bits} and rounding constants are exact "
            f"for all of its channels{'; 31 bits may be' if parameters.multiplier_bits < 31 else ''}"
        )
    words, positive, negative = found
    limits = rule.zero_point, rule.minimum, rule.maximum
    for channel in np.flatnonzero(~moving):
        _still(rule, low[channel], high[channel], bias[channel], int(channel), words, parameters, name)
    made = EngineRequantization(parameters, words, positive, negative, *limits)
    proof = prove(rule, made, words, low, high, bias, positions, name=name)
    return EngineRequantization(parameters, words, positive, negative, *limits, proof)


def _search(
    rule: Rule, steps: Steps, bias: np.ndarray, moving: np.ndarray, parameters: EngineParameters
) -> tuple[ChannelConstants, int, int] | None:
    """Multipliers of full width for the channels that move; the first pair of rounding constants that serves all."""
    bits, least = parameters.multiplier_bits, parameters.least_shift
    # the reference's own exponent puts its rounding constant where ± half of a multiplier is
    found = np.frexp(np.where(rule.slope > 0, rule.slope, 1.0))[1]
    exponent = (rule.exponent if isinstance(rule, AffineRule) else found).astype(np.int64)
    shift = np.clip(bits - exponent, least, least + (1 << SHIFT_BITS) - 1)
    wanted = np.round(np.ldexp(rule.slope, shift.astype(np.int32))).astype(np.int64)
    half = 1 << (bits - 1)
    none = np.zeros(rule.channels, np.int64)
    plain = steps.multipliers(none, none, shift)
    for positive, negative in (
        (half, -half),
        (half, half),
        (0, -1),
        (half // 2, -half // 2),
        (0, -half),
        (half >> 4, -(half >> 4)),
    ):
        rounding = steps.multipliers(none + negative, none + positive, shift)
        chosen, exists = [], []
        for lowest, highest in (plain, rounding):
            highest = np.minimum(highest, (1 << bits) - 1)
            chosen.append(np.clip(wanted, lowest, np.maximum(highest, lowest)))
            exists.append(lowest <= highest)
        if np.all(exists[0] | exists[1] | ~moving):
            rounded = ~exists[0]
            multiplier = np.where(rounded, chosen[1], chosen[0])
            return ChannelConstants(bias.copy(), multiplier, shift, rounded.astype(np.int64)), positive, negative
    return None


def _none_moves(bias: np.ndarray, parameters: EngineParameters) -> tuple[ChannelConstants, int, int]:
    """Where every channel gives one output, which :func:`_still` finds."""
    none = np.zeros(len(bias), np.int64)
    return ChannelConstants(bias.copy(), none.copy(), none + parameters.multiplier_bits, none.copy()), 0, 0


def _still(
    rule: Rule, low: int, high: int, bias: int, channel: int, words: ChannelConstants, parameters: EngineParameters,
    name: str,
) -> None:  # fmt: skip
    """Constants of a channel that gives one output: without a multiplier, or in the middle of that output's plateau."""
    output = int(np.ravel(rule.evaluate(np.full((rule.channels, 1), low + bias)))[channel])
    shift, multiplier, offset = parameters.multiplier_bits, 0, 0
    if output != np.clip(rule.zero_point, rule.minimum, rule.maximum):
        multiplier = (1 << (shift - 1)) // int(high - low + 1)
        offset = ((output - rule.zero_point) << shift) // multiplier - int(low + high) // 2
        if max(abs(offset + low), abs(offset + high), abs(offset)) >> (parameters.accumulator_bits - 1):
            raise GraphError(
                f"{name}: channel {channel} gives {output} always, for which its sums need more than "
                f"accumulator_bits = {parameters.accumulator_bits}"
            )
    words.bias[channel], words.multiplier[channel] = offset, multiplier
    words.shift[channel], words.rounded[channel] = shift, 0
