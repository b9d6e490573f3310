"""The pointwise stage: foldings that divide and that do not, lanes, pixel groups, element shapes; data and cycles
exact."""

import numpy as np
import pytest
from amaranth.hdl import Shape, signed, unsigned
from circuits import random_requantization, requantization_beats, weight_beats
from windowed import counted_cycles

from mbconv.hdl.pointwise import Pointwise
from mbconv.sim.bench.bench import Case, Expected, run_cases, tensor_beats

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
) -> Case:
    rng = np.random.default_rng([*channels, *folding, *lanes, pixels])
    x = random_elements(rng, data, (FRAMES * PIXELS, channels[0]))
    weights = random_elements(rng, weight, (channels[1], channels[0]))
    format, words = random_requantization(rng, weights, data, output, multiply=multiply)
    expected = format.compute(weights @ x.T, words).T
    stage = Pointwise(
        inputs=channels[0],
        outputs=channels[1],
        input_folding=folding[0],
        output_folding=folding[1],
        data_shape=data,
        weight_shape=weight,
        format=format,
        input_lanes=lanes[0],
        lanes=lanes[1],
        pixels=pixels,
        slots=slots,
    )
    beats, _ = tensor_beats(x, lanes[0], random_elements(rng, data, (97,)))
    return Case(
        f"{channels[0]} to {channels[1]} channels, folding {folding}, lanes {lanes}, Q = {pixels}, {data} × {weight}",
        stage,
        {
            "i": beats,
            "weights": weight_beats(weights, *folding),
            "requantization": requantization_beats(format, words, lanes[1]),
        },
        {"o": Expected.tensor(expected, lanes[1])},
        FRAMES,
        # The stage's own cycles, unless its streams carry more beats than that.
        interval=PIXELS * max(stage.cycles_per_pixel, -(-channels[0] // lanes[0]), -(-channels[1] // lanes[1])),
        latency=counted_cycles(stage, FRAMES, PIXELS)[1] if pixels == 1 else None,  # the event model has Q = 1
    )


def test_pointwise():
    run_cases(
        [
            pointwise_case((8, 16), (2, 2), (1, 1)),
            pointwise_case((8, 16), (8, 4), (4, 4)),
            pointwise_case((8, 16), (8, 16), (8, 16)),
            pointwise_case((7, 5), (3, 2), (1, 1)),
            pointwise_case((7, 5), (4, 3), (2, 3)),
            pointwise_case((5, 3), (6, 2), (2, 2)),
            pointwise_case((16, 4), (1, 1), (1, 1)),
            pointwise_case((1, 1), (1, 1), (1, 1)),
            pointwise_case((9, 10), (3, 4), (1, 2), multiply=False),
            pointwise_case((6, 4), (2, 2), (2, 1), data=unsigned(8), weight=signed(9), output=unsigned(8)),
            pointwise_case((6, 4), (3, 2), (1, 1), data=unsigned(4), weight=signed(3), output=signed(12)),
            pointwise_case((4, 6), (2, 3), (2, 3), data=signed(16), weight=signed(2), output=signed(4), slots=3),
        ]
    )


def test_pixel_groups():
    run_cases(
        [
            pointwise_case((8, 16), (2, 2), (1, 1), pixels=2),
            pointwise_case((8, 16), (4, 4), (4, 2), pixels=4),
            pointwise_case((7, 5), (3, 2), (1, 1), pixels=3),
            pointwise_case((9, 10), (3, 4), (1, 2), pixels=6),
            pointwise_case((4, 4), (4, 4), (4, 4), pixels=2),
            pointwise_case((8, 3), (1, 1), (1, 1), pixels=12),
            pointwise_case((1, 1), (1, 1), (1, 1), pixels=2),
        ]
    )


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
    assert stage.cycles_per_pixel == 4 * 4
    assert stage.buffer.memory_bits == 2 * 8 * 8
