"""Requantisation: the circuit's constants for every channel, found by search and proved equal to the reference.

The reference is a non-decreasing step function of the accumulator (:mod:`~mbconv.generators.constants.step_function`).
The circuit is :class:`~mbconv.hdl.requantize.Requantize`; of three forms the cheapest that exists is taken:

``shift``
    multiplier 1: exact for networks whose scales were chosen so.
``common``
    every channel's multiplier normalised to the same width and its own shift; the two rounding constants are the
    stage's. TFLite's double rounding is this form exactly, with a multiplier of 31 bits and constants ± 2^30, so it
    always exists for multipliers below ½; over the reachable accumulators fewer bits suffice.
``word``
    rounding constants of each channel's own: narrower multipliers, much wider words.

The proof is apart from the search: the circuit's own numpy model equals the reference at both sides of every step and
at both ends of the reachable accumulators, and where the constant changes; so the two are equal for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from mbconv.hdl.requantize import RequantizeFormat, RequantizeParameters, RequantizeWords
from mbconv.hdl.requantize_format import signed_bits

from ..graph.graph import Element, GraphError
from ..stages.element_shape import element_shape
from .requantization_forms import Reachable, Solution, solutions
from .requantization_steps import Steps
from .step_function import Rule, step_positions

_MEMORY_BITS_PER_LUT = 44
"""The price of a word's bits against a lane's tables: an ECP5 has one 18 kbit block for about 400 four-input tables."""


@dataclass(frozen=True)
class Proof:
    """What was compared: ``accumulators`` is how many values lie in the channels' reachable ranges, ``points`` how
    many were evaluated."""

    channels: int
    constant_channels: int
    steps: int
    points: int
    accumulators: int


@dataclass(frozen=True, eq=False)
class Requantization:
    """A circuit's format and its channels' words, proved. ``form`` is ``shift``, ``common`` or ``word``."""

    format: RequantizeFormat
    words: RequantizeWords
    form: str
    proof: Proof

    def packed(self) -> list[int]:
        """One memory word for each channel."""
        return self.format.pack(self.words)


class RequantizationSearch:
    """Every form that is exact for C channels; which is cheapest depends on the circuit that computes it.

    Args:
        rule: the reference, a function of accumulator + bias.
        low, high: reachable accumulators, int64 ``[C]``.
        bias: the reference's bias with the input's zero point folded in, int64 ``[C]``.
        output: the element type of the result.
        name: begins the message of an error.

    Raises:
        GraphError: no form is exact for some channel, or the reference itself is undefined there.
    """

    def __init__(
        self, rule: Rule, low: np.ndarray, high: np.ndarray, bias: np.ndarray, output: Element, name: str
    ) -> None:
        low, high, bias = (np.broadcast_to(np.asarray(a, np.int64), (rule.channels,)) for a in (low, high, bias))
        if np.any(low > high):
            raise GraphError(f"{name}: channel {int(np.argmax(low > high))} has no reachable accumulator")
        # A channel that gives one output for all 32-bit sums needs no bias, whatever a converter left there (biases of
        # pruned channels are often clipped to ±2^31, where their sums turn over).
        bias = np.where(rule.still, 0, bias)
        try:
            positions = step_positions(rule, low + bias, high + bias)
        except GraphError as error:
            raise GraphError(f"{name}: {error}") from None
        steps = Steps(positions, rule.levels - rule.zero_point, low + bias, high + bias, rule.slope)
        reachable = Reachable(low, high, bias, rule.evaluate(low + bias), rule)
        self._prove = partial(prove, rule, low=low, high=high, bias=bias, positions=positions, name=name)
        self._forms: list[tuple[str, RequantizeFormat, RequantizeWords]] = []
        self._proved: dict[int, Requantization] = {}
        for solution in solutions(rule, steps, reachable):
            made = _format(rule, solution, low, high, output)
            if made is not None:
                self._forms.append((solution.form, *made))
                if solution.form == "shift":
                    break  # nothing is cheaper
        if not self._forms:
            raise GraphError(
                f"{name}: no multiplier of up to 31 bits, constants and shift reproduce the reference over the "
                f"reachable accumulators of all {rule.channels} channels{_hardest(steps)}; its scales span too much "
                "for one circuit"
            )

    def cheapest(self, lanes: int, interval: int) -> Requantization:
        """The cheapest circuit of so many lanes that begins every ``interval`` cycles, proved.

        Raises:
            GraphError: it does not equal the reference, a mistake in mbconv.
        """

        def cost(index: int) -> float:
            _, format, words = self._forms[index]
            tables = lanes * RequantizeParameters(format, 1, interval).cost.luts
            return tables + len(words.bias) * format.word_bits / _MEMORY_BITS_PER_LUT

        best = min(range(len(self._forms)), key=cost)
        if best not in self._proved:
            form, format, words = self._forms[best]
            self._proved[best] = Requantization(format, words, form, self._prove(format=format, words=words))
        return self._proved[best]


def find_requantization(
    rule: Rule,
    low: np.ndarray,
    high: np.ndarray,
    bias: np.ndarray,
    output: Element,
    *,
    lanes: int = 1,
    interval: int = 1,
    name: str = "requantisation",
) -> Requantization:
    """The cheapest proved circuit for C channels, as :class:`RequantizationSearch` finds it.

    Args:
        lanes, interval: of the circuit; they weigh its tables against the memory of the words.
    """
    return RequantizationSearch(rule, low, high, bias, output, name).cheapest(lanes, interval)


def _hardest(steps: Steps) -> str:
    """The channels with the least and the greatest slope, for a message."""
    moving = np.flatnonzero(steps.inside.any(1))
    if not moving.size:
        return ""
    least, greatest = moving[np.argmin(steps.slope[moving])], moving[np.argmax(steps.slope[moving])]
    return (
        f" (multipliers from {steps.slope[least]:.3g} in channel {least} to "
        f"{steps.slope[greatest]:.3g} in channel {greatest})"
    )


def _format(
    rule: Rule, solution: Solution, low: np.ndarray, high: np.ndarray, output: Element
) -> tuple[RequantizeFormat, RequantizeWords] | None:
    """The narrowest widths that hold a solution; None if the circuit does not have them."""
    base = int(solution.shift.min())
    positive, negative = solution.positive, solution.negative
    own = np.ptp(positive) > 0 or np.ptp(negative) > 0
    sums_low, sums_high = low + solution.bias, high + solution.bias
    try:
        format = RequantizeFormat(
            accumulator_bits=max(2, signed_bits(int(low.min()), int(high.max()))),
            bias_bits=signed_bits(int(solution.bias.min()), int(solution.bias.max())),
            multiplier_bits=0 if solution.form == "shift" else int(solution.multiplier.max()).bit_length(),
            shift=base,
            shift_bits=int(solution.shift.max() - base).bit_length(),
            zero_point=rule.zero_point,
            minimum=rule.minimum,
            maximum=rule.maximum,
            output=element_shape(output),
            constant_bits=signed_bits(
                int(min(positive.min(), negative.min())), int(max(positive.max(), negative.max()))
            )
            if own
            else 0,
            positive=0 if own else int(positive[0]),
            negative=0 if own else int(negative[0]),
            sum_bits=max(2, signed_bits(int(sums_low.min()), int(sums_high.max()))),
        )
    except ValueError:
        return None
    words = format.words(
        solution.bias,
        solution.multiplier,
        positive if own else 0,
        negative if own else 0,
        solution.shift - base,
    )
    return format, words


def prove(
    rule: Rule,
    format: RequantizeFormat,
    words: RequantizeWords,
    low: np.ndarray,
    high: np.ndarray,
    bias: np.ndarray,
    positions: np.ndarray | None = None,
    *,
    name: str = "requantisation",
) -> Proof:
    """Show that a circuit equals the reference for every reachable accumulator.

    Between two neighbouring steps the reference is constant. The circuit does not decrease among sums of one sign, as
    its multipliers are not negative. So equality at both sides of each step, at both ends and at both sides of the
    change of sign is equality everywhere.

    Raises:
        GraphError: they differ; the message names channel, accumulator and both results.
    """
    if positions is None:
        positions = step_positions(rule, low + bias, high + bias)
    marks = [low[:, None], high[:, None], positions - bias[:, None], -words.bias[:, None]]
    points = np.concatenate([*marks, *(after - 1 for after in marks[2:])], 1)
    points = np.clip(points, low[:, None], high[:, None])
    expected = rule.evaluate(points + bias[:, None])
    found = format.compute(points, words)
    if not np.array_equal(expected, found):
        channel, point = np.argwhere(expected != found)[0]
        raise GraphError(
            f"{name}: channel {channel} with accumulator {points[channel, point]} gives {found[channel, point]} "
            f"in the circuit and {expected[channel, point]} in the reference"
        )
    sums_low, sums_high = low + words.bias, high + words.bias
    limit = np.int64(1) << (format.sum_bits - 1)
    span = np.int64(1) << (format.accumulator_bits - 1)
    if np.any((sums_low < -limit) | (sums_high >= limit) | (low < -span) | (high >= span)):
        raise GraphError(f"{name}: a reachable accumulator or sum exceeds the circuit's widths")
    inside = (positions > (low + bias)[:, None]) & (positions <= (high + bias)[:, None])
    return Proof(
        channels=rule.channels,
        constant_channels=int((~inside.any(1)).sum()),
        steps=int(inside.sum()),
        points=points.size,
        accumulators=int((high - low + 1).sum()),
    )
