"""The pointwise stage: foldings that divide and that do not, lanes, pixel groups, element shapes; data and cycles
exact."""

from functools import partial

import numpy as np
import pytest
from amaranth.hdl import Shape, signed, unsigned
from circuits import EACH_VARIANT, OTHER, random_requantization, requantization_beats, weight_beats
from windowed import counted_cycles

from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.pointwise import Pointwise, PointwiseParameters
from mbconv.sim.circuits.testbench import Case, Expected, run_cases, tensor_beats

FRAMES = 3
PIXELS = 12


def random_elements(rng: np.random.Generator, shape: Shape, size: tuple[int, ...]) -> np.ndarray:
    low = -(1 << (shape.width - 1)) if shape.signed else 0
    return rng.integers(low, low + (1 << shape.width), size)


def pointwise_case(
    channels: tuple[int, int],
    folding: tuple[int, int],
    lanes: tuple[int, int],
    *,
    pixels: int = 1,
    slots: int = 2,
    data: Shape = signed(8),
    weight: Shape = signed(8),
    output: Shape = signed(8),
    multiply: bool = True,
    elastic: bool = False,
    family: Family = GENERIC,
) -> Case:
    rng = np.random.default_rng([*channels, *folding, *lanes])
    x = random_elements(rng, data, (FRAMES * PIXELS, channels[0]))
    weights = random_elements(rng, weight, (channels[1], channels[0]))
    format, words = random_requantization(rng, weights, data, output, multiply=multiply)
    expected = format.compute(weights @ x.T, words).T
    parameters = PointwiseParameters(
        inputs=channels[0],
        outputs=channels[1],
        input_folding=folding[0],
        output_folding=folding[1],
        pixels=pixels,
        data_shape=data,
        weight_shape=weight,
        format=format,
        input_lanes=lanes[0],
        lanes=lanes[1],
        slots=slots,
        elastic=elastic,
        family=family,
    )
    stage = Pointwise(parameters)
    beats, _ = tensor_beats(x, lanes[0], random_elements(rng, data, (97,)))
    return Case(
        f"{channels[0]} to {channels[1]} channels, folding {folding} on {pixels}, lanes {lanes}, {data} × {weight}"
        f"{', elastic' * elastic}, {family.name}",
        stage,
        {
            "i": beats,
            "weights": weight_beats(weights, *folding, pixels),
            "requantization": requantization_beats(format, words, lanes[1], parameters.rest, pixels),
        },
        {"o": Expected.tensor(expected, lanes[1])},
        FRAMES,
        # The stage's own cycles, unless its streams carry more beats than that.
        interval=max(
            PIXELS // pixels * stage.cycles_per_group,
            PIXELS * max(-(-channels[0] // lanes[0]), -(-channels[1] // lanes[1])),
        ),
        latency=counted_cycles(stage, FRAMES, PIXELS)[1],
    )


@EACH_VARIANT
def test_pointwise(how):
    case = partial(pointwise_case, **how)
    some = partial(pointwise_case, elastic=not how, family=GENERIC if how else OTHER)
    run_cases(
        [
            some((7, 5), (4, 3), (2, 3)),
            some((6, 4), (2, 2), (2, 1)),
            case((8, 16), (2, 2), (1, 1)),
            case((8, 16), (8, 4), (4, 4)),
            case((8, 16), (8, 16), (8, 16)),
            case((7, 5), (3, 2), (1, 1)),
            case((7, 5), (4, 3), (2, 3)),
            case((5, 3), (6, 2), (2, 2)),
            case((16, 4), (1, 1), (1, 1)),
            case((1, 1), (1, 1), (1, 1)),
            case((9, 10), (3, 4), (1, 2), multiply=False),
            case((6, 4), (2, 2), (2, 1), data=unsigned(8), weight=signed(9), output=unsigned(8)),
            case((6, 4), (3, 2), (1, 1), data=unsigned(4), weight=signed(3), output=signed(12)),
            case((4, 6), (2, 3), (2, 3), data=signed(16), weight=signed(2), output=signed(4), slots=3),
        ]
    )


@EACH_VARIANT
def test_pixels_that_share_groups_of_outputs(how):
    case = partial(pointwise_case, **how)
    some = partial(pointwise_case, elastic=not how, family=GENERIC if how else OTHER)
    run_cases(
        [
            some((9, 9), (2, 4), (2, 1), pixels=4),
            case((8, 16), (1, 6), (1, 1), pixels=3),  # a rest of 4: two groups, each of two pixels
            case((4, 8), (1, 3), (1, 1), pixels=2),  # two groups, the second of one output alone
            case((7, 5), (3, 2), (1, 1), pixels=2),  # one group of the rests of both pixels
            case((9, 9), (2, 4), (2, 1), pixels=4, slots=3),
            case((9, 6), (4, 4), (2, 2), pixels=2),  # a pixel ends in a word of one beat, with an empty lane
            case((5, 8), (1, 6), (1, 2), pixels=6),
            case((6, 10), (2, 4), (2, 2), pixels=3, multiply=False),
            case((6, 12), (2, 8), (1, 4), pixels=3),  # a group is two beats
            case((6, 10), (2, 4), (1, 2), pixels=2),
            case((9, 7), (1, 5), (1, 1), pixels=12, data=unsigned(8), weight=signed(9), output=unsigned(8)),
        ]
    )


def test_pixels_that_share_keep_their_pace():
    """The interval is that of the multipliers or of the input's beats, whatever is folded how."""
    seed = 21
    rng = np.random.default_rng(seed)
    formats, counted = {}, 0
    while counted < 150:
        channels = int(rng.integers(1, 14)), int(rng.integers(2, 30))
        lanes = int(rng.integers(1, channels[0] + 1)), int(rng.choice(divisors(channels[1])))
        folding = tuple(lane * int(rng.integers(1, -(-c // lane) + 1)) for c, lane in zip(channels, lanes, strict=True))
        if channels not in formats:
            weights = random_elements(rng, signed(8), channels[::-1])
            formats[channels] = random_requantization(rng, weights, signed(8))[0]
        try:
            parameters = PointwiseParameters(
                inputs=channels[0],
                outputs=channels[1],
                input_folding=folding[0],
                output_folding=folding[1],
                pixels=(pixels := int(rng.integers(2, 9))),
                data_shape=signed(8),
                weight_shape=signed(8),
                format=formats[channels],
                input_lanes=lanes[0],
                lanes=lanes[1],
                family=(GENERIC, OTHER)[counted % 2],
            )
        except ValueError:
            continue
        counted += 1
        groups = int(rng.integers(1, 5))
        own, coming = parameters.cycles_per_group, pixels * -(-channels[0] // lanes[0])
        found = counted_cycles(Pointwise(parameters), 6, groups * pixels)[0]
        assert found == groups * max(own, coming), (parameters, seed)


def divisors(number: int) -> list[int]:
    return [value for value in range(1, number + 1) if number % value == 0]


@pytest.mark.parametrize(
    ("folding", "lanes", "pixels", "message"),
    [
        ((4, 2), (1, 2), 2, "2 pixels share nothing: 2 outputs a cycle leave no rest of 4 outputs"),
        (
            (4, 3),
            (1, 3),
            2,
            "2 pixels share nothing: 3 outputs a cycle leave no rest of 4 outputs that fills beats of 3",
        ),
        ((3, 3), (1, 1), 4, "the outputs of 4 pixels leave over 1 lanes in 22 cycles, but are made in 18"),
        ((1, 3), (1, 1), 0, "pixels must be at least 1"),
    ],
)
def test_pixels_that_share_nothing_are_refused(folding, lanes, pixels, message):
    with pytest.raises(ValueError, match=message):
        pointwise_case((8, 4), folding, lanes, pixels=pixels)


@pytest.mark.parametrize(
    ("folding", "lanes", "message"),
    [
        ((3, 2), (2, 1), "2 input lanes do not divide the 3 inputs"),
        ((4, 4), (4, 3), "3 lanes do not divide a block's 4 outputs"),
        ((8, 4), (1, 1), "more lanes are needed"),
        ((9, 4), (1, 4), "exceeds the 8 × 4 channels"),
    ],
)
def test_pointwise_refuses(folding, lanes, message):
    with pytest.raises(ValueError, match=message):
        pointwise_case((8, 4), folding, lanes)


def test_cost():
    stage = pointwise_case((8, 16), (2, 4), (2, 1)).component
    assert stage.multipliers == 8
    assert stage.cycles_per_group == 4 * 4
    assert [buffer.memory_bits for buffer in stage.buffers] == [2 * 8 * 8]


def test_cost_of_several_pixels():
    stage = pointwise_case((8, 16), (1, 6), (1, 1), pixels=3).component
    assert stage.multipliers == 6
    assert stage.cycles_per_group == 8 * 8
    assert [buffer.memory_bits for buffer in stage.buffers] == [2 * 8 * 8] * 3
    assert stage.rests.memory_bits == 3 * 4 * 8
