"""The full convolution: what its window gives and its multipliers take, strides, depth multipliers; data and cycles
exact."""

import zlib
from functools import partial

import numpy as np
import pytest
from amaranth.hdl import Shape, signed, unsigned
from circuits import EACH_EXTENT, random_requantization, requantization_beats, weight_beats
from elements import random_elements
from windowed import counted_cycles, windows

from mbconv.hdl.convolution import Convolution, ConvolutionParameters
from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.window_geometry import WindowGeometry
from mbconv.sim.circuits.testbench import Case, Expected, run_cases, tensor_beats

FRAMES = 3
SAME = WindowGeometry(5, 6, (3, 3), (1, 1), (1, 1, 1, 1))
HALVED = WindowGeometry(6, 8, (3, 3), (2, 2), (0, 1, 0, 1))


def convolution_case(
    geometry: WindowGeometry,
    channels: tuple[int, int],
    taps: int,
    folding: tuple[int, int],
    lanes: tuple[int, int] = (1, 1),
    *,
    extra: int | None = None,
    pad_value: int = -2,
    data: Shape = signed(8),
    weight: Shape = signed(8),
    output: Shape = signed(8),
    elastic: bool = False,
    family: Family = GENERIC,
) -> Case:
    """A case of C to Co channels, K taps and Pi × Po products; the ring holds ``extra`` pixels beyond the least, or by
    default a whole frame, with which no cycle of the slower of window and multipliers is lost."""
    least = geometry.minimum_capacity(taps)
    capacity = geometry.round_capacity(least + (geometry.pixels if extra is None else extra), taps)
    name = (
        f"{geometry.kernel} over {geometry.height} × {geometry.width}, strides {geometry.strides}, "
        f"{channels[0]} to {channels[1]} channels, K = {taps}, folding {folding}, lanes {lanes}, ring of {capacity}, "
        f"{data} × {weight}"
    )
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    x = random_elements(rng, data, (FRAMES, geometry.height, geometry.width, channels[0]))
    weights = random_elements(rng, weight, (channels[1], geometry.taps * channels[0]))
    format, words = random_requantization(rng, weights, data, output)
    seen = windows(geometry, x, pad_value)
    sums = np.einsum("fyxr,or->ofyx", seen.reshape(*seen.shape[:3], -1), weights)
    parameters = ConvolutionParameters(
        geometry,
        channels=channels[0],
        outputs=channels[1],
        taps=taps,
        input_folding=folding[0],
        output_folding=folding[1],
        data_shape=data,
        weight_shape=weight,
        format=format,
        input_lanes=lanes[0],
        lanes=lanes[1],
        pad_value=pad_value,
        capacity=capacity,
        elastic=elastic,
        family=family,
    )
    stage = Convolution(parameters)
    interval, latency = counted_cycles(stage, FRAMES)
    if extra is None:
        # The stage's own cycles, unless its input carries more beats than that.
        assert interval == max(stage.cycles_per_frame, geometry.pixels * -(-channels[0] // lanes[0])), name
    beats, _ = tensor_beats(x, lanes[0])
    return Case(
        name,
        stage,
        {
            "i": beats,
            "weights": weight_beats(weights, *folding),
            "requantization": requantization_beats(format, words, lanes[1]),
        },
        {"o": Expected.tensor(np.moveaxis(format.compute(sums, words), 0, -1), lanes[1])},
        FRAMES,
        interval=interval,
        latency=latency,
    )


def cases(**how) -> list[Case]:
    case = partial(convolution_case, **how)
    return [
        # Pi a part of what the window gives (Narrow), all of it, and more (Widen), for each number of taps
        *(case(SAME, (3, 8), 1, (pi, 2)) for pi in (1, 3, 6, 9)),
        *(case(SAME, (3, 8), 3, (pi, 2)) for pi in (3, 9, 18)),
        *(case(SAME, (3, 6), 9, (pi, po), (3, po)) for pi, po in ((1, 2), (9, 3), (27, 2))),
        # strides, outputs that Po does not divide, lanes on either side
        *(case(HALVED, (3, 5), taps, (pi, 2), (3, 2)) for taps, pi in ((1, 3), (3, 9), (9, 27))),
        case(HALVED, (4, 6), 3, (6, 4), (2, 2)),
        case(WindowGeometry(7, 5, (3, 3), (2, 1), (1, 0, 2, 1)), (2, 3), 3, (2, 3)),
        case(WindowGeometry(5, 7, (3, 5), (1, 2), (1, 1, 2, 2)), (2, 4), 5, (10, 2), (2, 1)),
        case(WindowGeometry(4, 4, (5, 5), (1, 1), (2, 2, 2, 2)), (1, 4), 5, (5, 4)),
        case(WindowGeometry(4, 6, (1, 1), (2, 2)), (3, 4), 1, (3, 2), (3, 2)),
        # one channel: a first layer in grey, and a depthwise convolution with a depth multiplier
        *(case(SAME, (1, 8), taps, (pi, 2)) for taps, pi in ((1, 1), (1, 3), (3, 3), (3, 1))),
        case(HALVED, (1, 8), 9, (9, 8), (1, 8)),
        # few outputs: the window is slower than the multipliers
        case(SAME, (2, 2), 1, (6, 2), (2, 2)),
        case(SAME, (2, 1), 1, (18, 1), (2, 1)),
        # element shapes
        case(SAME, (3, 4), 3, (9, 2), pad_value=114, data=unsigned(8), weight=signed(9), output=unsigned(8)),
        case(HALVED, (2, 4), 1, (2, 2), pad_value=0, data=unsigned(4), weight=signed(3), output=unsigned(6)),
        # the least ring, and a little more: slower, by what counting says
        *(case(SAME, (3, 4), taps, (pi, 2), extra=0) for taps, pi in ((1, 3), (3, 9))),
        *(case(HALVED, (3, 4), taps, (pi, 4), (1, 2), extra=3) for taps, pi in ((1, 1), (3, 9), (9, 9))),
    ]


@EACH_EXTENT
def test_convolution(how, step):
    run_cases(cases(**how)[::step])


@pytest.mark.parametrize(
    ("taps", "folding", "lanes", "message"),
    [
        (3, (4, 2), (1, 1), "neither of 9 taps a beat and 4 inputs a cycle divides the other"),
        (2, (6, 2), (1, 1), "2 taps per cycle are neither 1, nor 3, nor 9"),
        (3, (9, 2), (2, 1), "2 lanes do not divide the 3 lanes to be collected"),
        (3, (9, 6), (1, 1), "more lanes are needed"),
        (3, (36, 2), (1, 1), "exceeds the 27 × 8 channels"),
        (3, (9, 12), (1, 3), "exceeds the 27 × 8 channels"),
        (3, (0, 2), (1, 1), "3 taps of 3 channels cannot feed 0 inputs a cycle"),
    ],
)
def test_refuses(taps, folding, lanes, message):
    with pytest.raises(ValueError, match=message):
        convolution_case(SAME, (3, 8), taps, folding, lanes, extra=0)


def test_cost():
    stage = convolution_case(HALVED, (3, 8), 3, (9, 2)).component
    assert stage.multipliers == 18
    assert stage.cycles_per_frame == 3 * 4 * 3 * 4
    assert stage.memory_bits == stage.window.memory_bits + stage.pointwise.memory_bits
