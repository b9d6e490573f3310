"""The requantisation circuit against its own format's numpy model, in Amaranth's simulator."""

import itertools

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned
from amaranth.sim import Simulator

from mbconv.hdl.requantize import Requantize, RequantizeFormat, RequantizeParameters

INT8 = dict(zero_point=-3, minimum=-128, maximum=127, output=signed(8))
FORMATS = {
    "shift": RequantizeFormat(16, 14, 0, 6, 0, **INT8),
    "no shift at all": RequantizeFormat(9, 5, 0, 0, 0, **INT8),
    "shift, constants of the stage": RequantizeFormat(16, 14, 0, 6, 0, positive=1, negative=-1, **INT8),
    "shift of each channel": RequantizeFormat(16, 14, 0, 2, 4, **INT8),
    "shift, constants in the word": RequantizeFormat(16, 14, 0, 6, 2, constant_bits=4, **INT8),
    "typical": RequantizeFormat(19, 17, 24, 27, 3, positive=1 << 23, negative=-(1 << 23), **INT8),
    "constants in the word": RequantizeFormat(18, 18, 11, 15, 0, constant_bits=12, **INT8),
    "narrow multiplier": RequantizeFormat(20, 16, 3, 8, 0, positive=5, negative=-7, **INT8),
    "one-bit multiplier": RequantizeFormat(12, 10, 1, 4, 1, positive=2, negative=2, **INT8),
    "odd widths, wrapping sum": RequantizeFormat(17, 12, 23, 25, 1, sum_bits=15, constant_bits=20, **INT8),
    "product kept whole": RequantizeFormat(10, 9, 7, 0, 0, positive=9, negative=-9, **INT8),
    "fewer bits discarded than digits": RequantizeFormat(12, 9, 9, 4, 2, positive=3, negative=-4, **INT8),
    "unsigned output, activation": RequantizeFormat(
        18, 16, 13, 18, 0, zero_point=4, minimum=4, maximum=200, output=unsigned(8), positive=100
    ),
    "sixteen-bit output": RequantizeFormat(
        24, 20, 16, 18, 0, zero_point=-77, minimum=-32768, maximum=32767, output=signed(16)
    ),
}
INTERVALS = (1, 2, 3, 5, 8, 16, 40)


def random_words(rng, format, count):
    def draw(bits, is_signed):
        if not bits:
            return np.zeros(count, np.int64)
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
        values = rng.integers(low, high + 1, count)
        return np.where(rng.random(count) < 0.2, rng.choice([low, high], count), values)

    return format.words(
        draw(format.bias_bits, True),
        draw(format.multiplier_bits, False) if format.multiplier_bits else 1,
        draw(format.constant_bits, True),
        draw(format.constant_bits, True),
        draw(format.shift_bits, False),
    )


def random_accumulators(rng, format, count):
    """Any accumulator, small ones more often: wide ones only saturate."""
    half = 1 << (format.accumulator_bits - 1)
    spread = 2.0 ** rng.uniform(1, format.accumulator_bits, count)
    values = np.clip(rng.normal(0, 1, count) * spread, -half, half - 1).astype(np.int64)
    return np.where(rng.random(count) < 0.05, rng.choice([-half, half - 1, -1, 0, 1], count), values)


def run(format, lanes, interval, accumulators, words, gaps):
    """Outputs of the circuit, operands ``interval`` + gap cycles apart, other inputs random in between; checks the
    latency."""
    dut = Requantize(RequantizeParameters(format, lanes, interval))
    packed = format.pack(words)
    beats = len(accumulators) // lanes
    results, starts = [], []
    noise = np.random.default_rng(0)

    async def drive(ctx):
        cycle = 0
        for beat in range(beats):
            for k in range(lanes):
                ctx.set(dut.accumulators[k], int(accumulators[beat * lanes + k]))
                ctx.set(dut.words.as_value().word_select(k, format.word_bits), packed[beat * lanes + k])
            ctx.set(dut.valid, 1)
            starts.append(cycle)
            await ctx.tick()
            ctx.set(dut.valid, 0)
            for k in range(lanes):
                ctx.set(dut.accumulators[k], int(noise.integers(-2, 2)))
                ctx.set(dut.words.as_value().word_select(k, format.word_bits), int(noise.integers(2)))
            idle = interval - 1 + int(gaps[beat])
            if idle:
                await ctx.tick().repeat(idle)
            cycle += 1 + idle
        await ctx.tick().repeat(dut.latency + 2)

    async def watch(ctx):
        cycle = 0
        async for _, _, valid, out in ctx.tick().sample(dut.o_valid, dut.o):
            if valid:
                assert cycle - starts[len(results) // lanes] == dut.latency, "latency differs from the class's"
                results.extend(out[k] for k in range(lanes))
            cycle += 1

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.add_testbench(watch, background=True)
    simulator.run()
    return np.array(results)


@pytest.mark.parametrize("name", FORMATS)
def test_circuit_equals_its_format(name):
    format = FORMATS[name]
    seed = 20_000 + list(FORMATS).index(name)
    seen = set()
    for interval, lanes in itertools.product(INTERVALS, (1, 3)):
        if lanes == 3 and interval not in (1, 5):
            continue
        plan = RequantizeParameters(format, lanes, interval).plan
        circuit = (lanes, plan and (plan.radix_bits, plan.digits_of_sum, plan.units))
        if circuit in seen:
            continue
        seen.add(circuit)
        rng = np.random.default_rng(seed)
        count = 100 * lanes
        accumulators, words = random_accumulators(rng, format, count), random_words(rng, format, count)
        gaps = rng.integers(0, 3, count) * rng.integers(0, 2, count)
        results = run(format, lanes, interval, accumulators, words, gaps)
        expected = format.compute(accumulators, words)
        assert np.array_equal(results, expected), f"{name}, interval {interval}, {lanes} lanes, seed {seed}: {plan}"


def test_all_forms_of_multiplication_are_chosen():
    """The sweep above reaches AND rows, Booth rows over either operand, shared and single rows."""
    plans = [
        RequantizeParameters(format, 1, i).plan
        for format in FORMATS.values()
        if format.multiplier_bits
        for i in INTERVALS
    ]
    assert {(plan.radix_bits, plan.digits_of_sum) for plan in plans} == {(1, False), (2, False), (2, True)}
    assert {1, 2, 4} <= {max(plan.units) for plan in plans}
    assert any(set(plan.units) == {1} for plan in plans) and any(len(set(plan.units)) == 2 for plan in plans)


def test_more_time_makes_a_smaller_circuit():
    format = FORMATS["typical"]
    luts = [RequantizeParameters(format, 1, interval).cost.luts for interval in INTERVALS]
    assert luts == sorted(luts, reverse=True)
    assert luts[0] > 4 * luts[-1]


def test_compute_is_the_documented_formula():
    """Against Python integers, field by field."""
    for name, format in FORMATS.items():
        rng = np.random.default_rng(7)
        words, accumulators = random_words(rng, format, 200), random_accumulators(rng, format, 200)
        for got, a, w in zip(format.compute(accumulators, words), accumulators, range(200), strict=True):
            top = 1 << (format.sum_bits - 1)
            s = (int(a) + int(words.bias[w]) + top) % (2 * top) - top
            constant = words.negative[w] + format.negative if s < 0 else words.positive[w] + format.positive
            n = format.shift + int(words.shift[w])
            p = s * int(words.multiplier[w]) + int(constant)
            value = ((2 * p + (1 << n)) >> (n + 1) if n else p) + format.zero_point
            assert got == min(max(value, format.minimum), format.maximum), name


def test_words_are_packed_in_the_layout_s_order():
    format = FORMATS["odd widths, wrapping sum"]
    words = random_words(np.random.default_rng(3), format, 50)
    layout = format.word_layout
    for channel, packed in enumerate(format.pack(words)):
        view = layout.from_bits(packed)
        for name in layout.members:
            assert view[name] == getattr(words, name)[channel]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"accumulator_bits": 1}, "accumulator_bits must be 2 to 40, not 1"),
        ({"multiplier_bits": 32}, "multiplier_bits must be 0 to 31, not 32"),
        ({"shift": 0, "shift_bits": 2}, "common shift of at least 1"),
        ({"constant_bits": 3, "positive": 1}, "not both"),
        ({"maximum": 128}, "-128..127"),
        ({"minimum": 9, "maximum": 3}, "9..3"),
        ({"sum_bits": 39, "multiplier_bits": 30}, "leaves 64-bit arithmetic"),
    ],
)
def test_bad_formats_are_refused(change, message):
    parameters = dict(accumulator_bits=20, bias_bits=18, multiplier_bits=12, shift=20, shift_bits=0) | INT8 | change
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        RequantizeFormat(**parameters)


def test_a_value_that_its_field_does_not_hold_is_refused():
    with pytest.raises(ValueError, match=r"bias -9000\.\.1 does not fit its field's -8192\.\.8191"):
        FORMATS["shift"].words([-9000, 1])
    with pytest.raises(ValueError, match=r"multiplier 2\.\.2 does not fit"):
        FORMATS["shift"].words([1], 2)


@pytest.mark.parametrize("lanes, interval, message", [(0, 1, "not 0"), (1, 0, "at least 1, not 0")])
def test_bad_circuits_are_refused(lanes, interval, message):
    with pytest.raises(ValueError, match=message):
        RequantizeParameters(FORMATS["shift"], lanes, interval)
