"""The search and proof of requantisations against brute force: every reachable accumulator, in exact integers."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mbconv.generators.constants.requantization import Requantization, find_requantization, prove
from mbconv.generators.constants.requantization_forms import Reachable, Solution, solutions
from mbconv.generators.constants.requantization_steps import Steps
from mbconv.generators.constants.step_function import (
    AffineRule,
    AverageRule,
    RealRule,
    Rule,
    ShiftRule,
    quantize_multiplier,
    step_positions,
)
from mbconv.generators.graph.graph import INT8, UINT8, Element, GraphError
from mbconv.hdl.requantize_format import RequantizeFormat

REACH = 500  # accumulators on either side of 0


# The rules once more, in Python's exact numbers.


def half_away(value: Fraction) -> int:
    return int(math.copysign(math.floor(abs(value) + Fraction(1, 2)), value)) if value else 0


def double_rounding(total: int, q: int, exponent: int) -> int:
    """gemmlowp as it is written: a nudge by the product's sign, a division that truncates, a rounding shift."""
    product = (total << max(exponent, 0)) * q
    nudged = product + ((1 << 30) if product >= 0 else 1 - (1 << 30))
    high = abs(nudged) >> 31 if nudged >= 0 else -(abs(nudged) >> 31)
    right = max(-exponent, 0)
    mask = (1 << right) - 1
    return (high >> right) + ((high & mask) > (mask >> 1) + (high < 0))


def exact(rule: Rule, channel: int, total: int) -> int:
    """The unlimited result less the zero point."""
    if isinstance(rule, RealRule):
        return half_away(Fraction(float(total) * float(rule.real[channel])))
    if isinstance(rule, AffineRule):
        return double_rounding(total, int(rule.q[channel]), int(rule.exponent[channel]))
    if isinstance(rule, ShiftRule):
        return math.floor(Fraction(total) / Fraction(2) ** int(rule.shift[channel]) + Fraction(1, 2))
    return half_away(Fraction(total, int(rule.count[channel])))


def table(rule: Rule, low: np.ndarray, high: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
    """For each channel the outputs of all its accumulators, from the least to the greatest."""
    return [
        np.array(
            [
                min(max(exact(rule, channel, total + b) + rule.zero_point, rule.minimum), rule.maximum)
                for total in range(first, last + 1)
            ]
        )
        for channel, (first, last, b) in enumerate(zip(low.tolist(), high.tolist(), bias.tolist(), strict=True))
    ]


def circuit(format: RequantizeFormat, words, low: np.ndarray, high: np.ndarray) -> list[np.ndarray]:
    """The same of the circuit's model."""
    return [
        format.compute(np.arange(first, last + 1)[None], words[channel : channel + 1])[0]
        for channel, (first, last) in enumerate(zip(low.tolist(), high.tolist(), strict=True))
    ]


def equal(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


# Rules of all kinds, and what accumulators reach.


def affine(real, zero_point=0, limits=(-128, 127)) -> AffineRule:
    real = np.asarray(real, np.float64)
    return AffineRule(real.size, zero_point, *limits, *quantize_multiplier(real))


def real_rule(real, zero_point=0, limits=(-128, 127)) -> RealRule:
    real = np.asarray(real, np.float64)
    return RealRule(real.size, zero_point, *limits, *quantize_multiplier(real), real)


def shift_rule(shift, limits=(-128, 127)) -> ShiftRule:
    shift = np.asarray(shift, np.int64)
    return ShiftRule(shift.size, 0, *limits, shift)


def reach(rng: np.random.Generator, channels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least and greatest accumulators and biases, some ranges on one side of 0 only, some a single number."""
    ends = np.sort(rng.integers(-REACH, REACH, (2, channels)), axis=0)
    ends[:, rng.random(channels) < 0.5] = [[-REACH], [REACH]]
    ends[1, rng.random(channels) < 0.1] = ends[0, rng.random(channels) < 0.1].max(initial=REACH)
    return np.minimum(*ends), np.maximum(*ends), rng.integers(-REACH, REACH, channels)


def random_rule(rng: np.random.Generator, kind: str, channels: int) -> tuple[Rule, Element]:
    spread = 2.0 ** rng.uniform(-3, 3)
    slopes = spread * 2.0 ** rng.uniform(-5, 0, channels)
    if kind == "affine":
        return affine(slopes, int(rng.integers(-20, 20))), INT8
    if kind == "affine, unsigned, activation":
        zero = int(rng.integers(0, 9))
        return affine(slopes, zero, (zero, int(rng.integers(100, 256)))), UINT8
    if kind == "affine, powers of two":
        return affine(2.0 ** rng.integers(-5, -1, channels), int(rng.integers(-20, 20))), INT8
    if kind == "real":
        return real_rule(slopes, int(rng.integers(-20, 20))), INT8
    if kind == "shift":
        return shift_rule(rng.integers(0, 7, channels)), INT8
    if kind == "left shift":
        return shift_rule(rng.integers(-3, 3, channels), (0, 15)), Element(4, False)
    return AverageRule(channels, 0, -128, 127, rng.integers(2, 60, channels)), INT8


KINDS = (
    "affine",
    "affine, unsigned, activation",
    "affine, powers of two",
    "real",
    "shift",
    "left shift",
    "average",
)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_every_accumulator(kind, seed):
    """The rule's own evaluation, its steps, every form that the search offers, and the one that it takes."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    channels = int(rng.integers(1, 7))
    rule, output = random_rule(rng, kind, channels)
    low, high, bias = reach(rng, channels)
    want = table(rule, low, high, bias)

    positions = step_positions(rule, low + bias, high + bias)
    for channel, outputs in enumerate(want):
        sums = np.arange(low[channel], high[channel] + 1) + bias[channel]
        assert np.array_equal(rule.evaluate(np.broadcast_to(sums, (channels, sums.size)))[channel], outputs)
        for level, position in zip(rule.levels, positions[channel], strict=True):
            reached = sums[outputs >= level]
            assert position == (reached[0] if reached.size else sums[-1] + 1), (channel, level)

    found = find_requantization(rule, low, high, bias, output)
    assert equal(circuit(found.format, found.words, low, high), want)
    assert found.proof.channels == channels
    assert found.proof.accumulators == sum(map(len, want))
    assert found.proof.constant_channels == sum(np.ptp(outputs) == 0 for outputs in want)
    # each level passed between two neighbouring accumulators is a step
    assert found.proof.steps == sum(int(np.diff(outputs).sum()) for outputs in want)

    steps = Steps(positions, rule.levels - rule.zero_point, low + bias, high + bias, rule.slope)
    forms = list(solutions(rule, steps, Reachable(low, high, bias, rule.evaluate(low + bias), rule)))
    assert found.form in {solution.form for solution in forms}
    for solution in forms:
        assert equal(formula(rule, solution, low, high), want), solution.form


def formula(rule: Rule, solution: Solution, low: np.ndarray, high: np.ndarray) -> list[np.ndarray]:
    """What constants give, as :mod:`mbconv.hdl.requantize_format` defines it."""
    results = []
    for channel, (first, last) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        m, c, d, n = (
            int(v[channel]) for v in (solution.multiplier, solution.positive, solution.negative, solution.shift)
        )
        sums = np.arange(first, last + 1) + solution.bias[channel]
        products = sums * m + np.where(sums < 0, d, c) + ((1 << n) >> 1)
        results.append(np.clip((products >> n) + rule.zero_point, rule.minimum, rule.maximum))
    return results


# Which form is taken.


def search(rule: Rule, low=-REACH, high=REACH, bias=0, output=INT8, **cost) -> Requantization:
    return find_requantization(rule, np.asarray(low), np.asarray(high), np.asarray(bias), output, **cost)


def test_powers_of_two_need_no_multiplier():
    found = search(shift_rule([4, 4, 4]))
    assert (found.form, found.format.multiplier_bits, found.format.shift, found.format.shift_bits) == ("shift", 0, 4, 0)
    assert (found.format.positive, found.format.negative, found.format.constant_bits) == (0, 0, 0)
    own = search(shift_rule([1, 6, 3]))
    assert (own.form, own.format.multiplier_bits) == ("shift", 0)
    assert (own.format.shift + own.words.shift).tolist() == [1, 6, 3]
    # TFLite rounds halves away from zero: beyond the bias a constant for each sign
    away = search(affine([2.0**-4]))
    assert (away.form, away.format.multiplier_bits) == ("shift", 0)
    assert away.format.positive != away.format.negative


def test_double_rounding_needs_a_constant_for_each_sign():
    """Many channels with wide accumulators: only the reference's own form, cut, has them all."""
    rng = np.random.default_rng(3)
    slopes = 2.0 ** rng.uniform(-9, -6, 256)
    found = search(affine(slopes, 5), -20_000, 20_000, rng.integers(-3000, 3000, 256))
    assert found.form == "common"
    assert found.format.positive == -found.format.negative == 1 << (found.format.positive.bit_length() - 1)
    assert found.format.multiplier_bits <= 31
    assert found.format.constant_bits == 0


def test_words_with_constants_are_weighed_against_adders():
    """A multiplier shared by many lanes pays for wide words; one lane of many channels does not."""
    rng = np.random.default_rng(4)
    slopes = 2.0 ** rng.uniform(-7, -4, 8)
    rule, bias = affine(slopes), rng.integers(-300, 300, 8)
    few = search(rule, -3000, 3000, bias, lanes=64)
    assert few.form == "word"
    many = affine(np.tile(slopes, 256))
    one = search(many, -3000, 3000, np.tile(bias, 256))
    assert one.format.word_bits <= few.format.word_bits


@pytest.mark.parametrize("level", ["least", "between", "greatest"])
@pytest.mark.parametrize("rule", [shift_rule([4, 4]), affine([0.0371, 0.0371])], ids=["shift", "multiplier"])
def test_channels_that_never_move(level, rule):
    """Pruned channels, with biases of 32 bits: the sums need no more bits than what the limits are reached with."""
    far = {"least": -(1 << 30), "between": 160, "greatest": 1 << 30}[level]
    low, high, bias = np.array([-REACH, 0]), np.array([REACH, 0]), np.array([7, far])
    found = search(rule, low, high, bias)
    assert equal(circuit(found.format, found.words, low, high), table(rule, low, high, bias))
    assert found.proof.constant_channels == 1
    assert found.format.sum_bits <= 1 + math.ceil(math.log2(129 / 0.0371 + REACH))


def test_no_channel_moves():
    found = search(affine([0.01, 0.02]), [0, 0], [3, 3], [200, -5000])
    assert equal(circuit(found.format, found.words, np.zeros(2, int), np.full(2, 3)), [np.full(4, 2), np.full(4, -100)])
    assert found.proof.constant_channels == 2 and found.proof.steps == 0


def test_sums_that_are_zero_have_the_least_width():
    """All weights pruned and no bias: an array's sums have two bits all the same."""
    found = search(affine([0.01]), [0], [0], [0])
    assert (found.format.accumulator_bits, found.format.sum_bits) == (2, 2)


# What is refused.


@pytest.mark.parametrize(
    ("rule", "low", "high", "message"),
    [
        (affine([0.1, 0.1]), [0, 5], [4, 4], "conv: channel 1 has no reachable accumulator"),
        (affine([0.1, 4.0]), -(1 << 29), 1 << 29, "conv: channel 1: sums up to 4294967296 overflow the reference's"),
        (
            affine([1.0, 0.7 * 2.0**-23]),
            [-500, 1 - (1 << 31)],
            [500, (1 << 31) - 1],
            "conv: no multiplier of up to 31 bits.*from 8.34e-08 in channel 1 to 1 in channel 0",
        ),
    ],
)
def test_refusals(rule, low, high, message):
    with pytest.raises(GraphError, match=message):
        search(rule, low, high, name="conv")


def test_limits_that_leave_no_output():
    with pytest.raises(GraphError, match=r"limits 3..2 leave no output"):
        affine([0.1], 0, (3, 2))


# The proof finds what is wrong.


def example() -> tuple[Rule, Requantization, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    rule = affine(2.0 ** rng.uniform(-5, -2, 4), 3)
    low, high = np.full(4, -REACH), np.full(4, REACH)
    bias = rng.integers(-100, 100, 4)
    return rule, search(rule, low, high, bias), low, high, bias


@pytest.mark.parametrize("field", ["bias", "multiplier", "positive", "negative", "shift"])
def test_a_wrong_word_is_found(field):
    """Each word changed a little: the proof refuses exactly those that brute force shows to differ."""
    rule, found, low, high, bias = example()
    want = table(rule, low, high, bias)
    refused = 0
    for channel in range(4):
        for change in (-40, -3, -1, 1, 3, 40):
            words = replace(found.words, **{field: getattr(found.words, field) + change * (np.arange(4) == channel)})
            # wider fields than the words need, so that the formula alone decides
            if (words.multiplier < 1).any() or (found.format.shift + words.shift < 1).any():
                continue
            got = circuit(found.format, words, low, high)
            if equal(got, want):
                continue
            refused += 1
            with pytest.raises(GraphError, match=f"conv: channel {channel} ") as caught:
                prove(rule, found.format, words, low, high, bias, name="conv")
            text = str(caught.value)
            if "accumulator" in text:  # what it names is so
                accumulator = int(text.split("accumulator ")[1].split()[0])
                assert f"gives {got[channel][accumulator + REACH]} in the circuit" in text
                assert f"and {want[channel][accumulator + REACH]} in the reference" in text
    assert refused > 3


def test_a_circuit_too_narrow_is_found():
    rule, found, low, high, bias = example()
    for change in ({"accumulator_bits": 9}, {"sum_bits": found.format.sum_bits - 1}):
        with pytest.raises(GraphError, match=r"exceeds the circuit's widths|in the circuit and"):
            prove(rule, replace(found.format, **change), found.words, low, high, bias)


def test_a_circuit_that_decreases_is_found():
    """Equal at both ends and no step between, but not at −1."""
    rule = shift_rule([4])
    low, high, bias = np.array([-7]), np.array([7]), np.array([0])
    format = RequantizeFormat(4, 2, 1, 4, 0, 0, -128, 127, search(rule).format.output, positive=0, negative=10)
    words = format.words(0)
    assert format.compute(np.array([[-7, -1, 0, 7]]), words).tolist() == [[0, 1, 0, 0]]
    with pytest.raises(GraphError, match=r"channel 0 (decreases at 0|with accumulator -1 gives 1)"):
        prove(rule, format, words, low, high, bias)
