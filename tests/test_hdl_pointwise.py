"""The pointwise stage: foldings that divide and that do not, lanes, pixel groups, element shapes; data and cycles
exact."""

from functools import partial

import numpy as np
import pytest
from amaranth.hdl import Shape, signed, unsigned
from circuits import VARIANTS, random_requantization, requantization_beats, weight_beats
from windowed import counted_cycles

from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.pointwise import Pointwise, PointwiseParameters
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
        f"{channels[0]} to {channels[1]} channels, folding {folding}, lanes {lanes}, {data} × {weight}"
        f"{', elastic' * elastic}, {family.name}",
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
        latency=counted_cycles(stage, FRAMES, PIXELS)[1],
    )


@pytest.mark.parametrize("how", VARIANTS.values(), ids=VARIANTS)
def test_pointwise(how):
    case = partial(pointwise_case, **how)
    run_cases(
        [
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
