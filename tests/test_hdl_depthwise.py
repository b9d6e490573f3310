"""The depthwise stage: kernels, strides, paddings, foldings, lanes, element shapes; data and cycles exact."""

import zlib
from functools import partial

import numpy as np
import pytest
from amaranth.hdl import Shape, signed, unsigned
from circuits import EACH_EXTENT, random_requantization, requantization_beats, weight_beats
from elements import random_elements
from windowed import counted_cycles, windows

from mbconv.hdl.depthwise import Depthwise, DepthwiseParameters
from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.window_geometry import WindowGeometry
from mbconv.sim.circuits.testbench import Case, Expected, run_cases, tensor_beats

FRAMES = 3
SAME = (1, 1, 1, 1)


def depthwise_case(
    geometry: WindowGeometry,
    channels: int,
    folding: tuple[int, int],
    lanes: tuple[int, int],
    *,
    multiplier: int = 1,
    extra: int | None = None,
    pad_value: int = 3,
    data: Shape = signed(8),
    weight: Shape = signed(8),
    output: Shape = signed(8),
    multiply: bool = True,
    elastic: bool = False,
    family: Family = GENERIC,
) -> Case:
    """A case of K taps × P outputs; the ring holds ``extra`` pixels beyond the least, or by default a whole frame,
    with which no cycle of the multipliers is lost."""
    taps, folded = folding
    least = geometry.minimum_capacity(taps)
    capacity = geometry.round_capacity(least + (geometry.pixels if extra is None else extra), taps)
    name = (
        f"{geometry.kernel} over {geometry.height} × {geometry.width}, strides {geometry.strides}, padding "
        f"{geometry.padding}, {channels} × {multiplier} channels, K = {taps}, P = {folded}, lanes {lanes}, "
        f"ring of {capacity}, {data} × {weight}"
    )
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    x = random_elements(rng, data, (FRAMES, geometry.height, geometry.width, channels))
    weights = random_elements(rng, weight, (channels * multiplier, geometry.taps))
    format, words = random_requantization(rng, weights, data, output, multiply=multiply)
    sums = np.einsum("fyxtc,ct->cfyx", windows(geometry, x, pad_value).repeat(multiplier, axis=-1), weights)
    parameters = DepthwiseParameters(
        geometry,
        channels=channels,
        channel_folding=folded,
        taps=taps,
        data_shape=data,
        weight_shape=weight,
        format=format,
        input_lanes=lanes[0],
        lanes=lanes[1],
        pad_value=pad_value,
        multiplier=multiplier,
        capacity=capacity,
        elastic=elastic,
        family=family,
    )
    stage = Depthwise(parameters)
    interval, latency = counted_cycles(stage, FRAMES)
    if extra is None:
        # The stage's own cycles, unless its input carries more beats than that.
        assert interval == max(stage.cycles_per_frame, geometry.pixels * -(-channels // lanes[0])), name
    beats, _ = tensor_beats(x, lanes[0], random_elements(rng, data, (97,)))
    return Case(
        name,
        stage,
        {
            "i": beats,
            "weights": weight_beats(weights, taps, folded),
            "requantization": requantization_beats(format, words, lanes[1]),
        },
        {"o": Expected.tensor(np.moveaxis(format.compute(sums, words), 0, -1), lanes[1])},
        FRAMES,
        interval=interval,
        latency=latency,
    )


def kernels_and_strides(**how) -> list[Case]:
    case = partial(depthwise_case, **how)
    three = WindowGeometry(6, 7, (3, 3), (1, 1), SAME)
    five = WindowGeometry(6, 5, (5, 5), (1, 1), (2, 2, 2, 2))
    halved = WindowGeometry(8, 6, (3, 3), (2, 2), (0, 1, 0, 1))
    return [
        # a kernel's taps at once, a row's, one by one; channels that P divides and does not, P of a part, beyond all
        *(case(three, 6, (taps, 2), (1, lanes)) for taps, lanes in ((1, 1), (3, 1), (9, 2))),
        *(case(three, 5, (taps, 2), (2, 2)) for taps in (1, 3, 9)),
        *(case(three, 5, (taps, 8), (4, 8)) for taps in (1, 3, 9)),
        *(case(five, 3, (taps, 2), (1, 2)) for taps in (1, 5, 25)),
        *(case(halved, 4, (taps, 2), (2, 2)) for taps in (1, 3, 9)),
        *(case(WindowGeometry(7, 9, (5, 5), (2, 2), (1, 2, 1, 2)), 2, (t, 1), (1, 1)) for t in (1, 5, 25)),
        # strides of each axis, padding on any side, none
        case(WindowGeometry(6, 7, (3, 3), (1, 2), SAME), 4, (3, 4), (2, 2)),
        case(WindowGeometry(7, 5, (3, 3), (2, 1), (1, 0, 2, 1)), 3, (9, 1), (1, 1)),
        case(WindowGeometry(5, 6, (3, 3), (3, 2), (0, 2, 1, 0)), 3, (1, 3), (3, 1)),
        case(WindowGeometry(5, 5, (3, 3)), 4, (3, 2), (1, 1)),
        case(WindowGeometry(6, 4, (3, 5), (1, 1), (1, 1, 2, 2)), 2, (5, 2), (1, 1)),
        # maps smaller than the kernel, a kernel of one tap
        case(WindowGeometry(1, 1, (3, 3), (1, 1), SAME), 6, (9, 3), (3, 3)),
        case(WindowGeometry(2, 3, (5, 5), (1, 1), (2, 2, 2, 2)), 4, (5, 2), (2, 1)),
        case(WindowGeometry(4, 3, (1, 1)), 4, (1, 2), (2, 2)),
    ]


def lanes_shapes_and_rings(**how) -> list[Case]:
    case = partial(depthwise_case, **how)
    geometry = WindowGeometry(5, 6, (3, 3), (1, 1), SAME)
    wide, least = dict(data=signed(16), weight=signed(2), output=signed(4)), WindowGeometry(6, 6, (3, 3), (1, 1), SAME)
    return [
        # lanes on either side: one, some, all of P, more than there are channels
        *(case(geometry, 8, (3, 4), lanes) for lanes in ((1, 4), (2, 2), (4, 2))),
        case(geometry, 8, (1, 8), (8, 1)),
        case(geometry, 1, (3, 2), (2, 1)),
        case(geometry, 1, (1, 1), (1, 1)),
        # element shapes
        case(geometry, 4, (3, 2), (1, 1), pad_value=131, data=unsigned(8), weight=signed(9), output=unsigned(8)),
        case(geometry, 5, (9, 2), (2, 2), data=unsigned(4), weight=signed(3), output=unsigned(4)),
        case(geometry, 3, (3, 1), (1, 1), pad_value=-30000, **wide),
        case(geometry, 6, (1, 3), (1, 1), data=unsigned(6), weight=signed(5), multiply=False),
        # the least ring and a little more than that: slower, by what counting says
        *(case(least, 4, (taps, 2), (2, 2), extra=0) for taps in (1, 3, 9)),
        *(case(least, 3, (taps, 3), (1, 3), extra=2) for taps in (1, 3, 9)),
        *(
            case(WindowGeometry(6, 6, (3, 3), (2, 2), (0, 1, 0, 1)), 4, (taps, 4), (2, 4), extra=extra)
            for taps in (1, 3)
            for extra in (0, 5)
        ),
    ]


def multipliers(**how) -> list[Case]:
    case = partial(depthwise_case, **how)
    geometry = WindowGeometry(5, 4, (3, 3), (1, 1), SAME)
    return [
        # blocks of several channels, of one, of part of one; beats of the input narrower than a word, and wider
        case(geometry, 3, (3, 2), (1, 1), multiplier=2),
        case(geometry, 4, (9, 4), (2, 4), multiplier=2),
        case(geometry, 4, (1, 1), (1, 1), multiplier=2),
        case(geometry, 3, (3, 2), (3, 1), multiplier=4),
        case(geometry, 4, (1, 4), (4, 2), multiplier=2),
        # blocks that end within a channel; more than all outputs; a last word of fewer channels
        case(geometry, 5, (3, 4), (1, 2), multiplier=3),
        case(geometry, 5, (1, 3), (2, 1), multiplier=2),
        case(geometry, 3, (3, 8), (2, 4), multiplier=2),
        case(WindowGeometry(6, 6, (3, 3), (2, 2), (0, 1, 0, 1)), 3, (9, 2), (1, 2), multiplier=3),
        case(WindowGeometry(4, 5, (2, 4), (1, 1), (0, 1, 1, 2)), 2, (4, 3), (1, 3), multiplier=3, extra=1),
    ]


@EACH_EXTENT
def test_multipliers(how, step):
    run_cases(multipliers(**how)[:: 1 if step > 1 else step])


@EACH_EXTENT
def test_kernels_and_strides(how, step):
    run_cases(kernels_and_strides(**how)[::step])


@EACH_EXTENT
def test_lanes_shapes_and_rings(how, step):
    run_cases(lanes_shapes_and_rings(**how)[::step])


@pytest.mark.parametrize(
    ("folding", "lanes", "extra", "message"),
    [
        ((3, 3), (2, 1), 0, "2 input lanes do not divide the 3 channels a cycle"),
        ((3, 3), (0, 1), 0, "input_lanes must be at least 1, not 0"),
        ((3, 4), (2, 3), 0, "3 lanes do not divide a block's 4 outputs"),
        ((9, 4), (4, 2), 0, "more lanes are needed"),
        ((3, 4), (4, 4), -9, "deadlocks: this window needs"),
        ((3, 0), (1, 1), 0, "channel_folding must be at least 1, not 0"),
    ],
)
def test_refuses(folding, lanes, extra, message):
    with pytest.raises(ValueError, match=message):
        depthwise_case(WindowGeometry(6, 6, (3, 3), (1, 1), SAME), 4, folding, lanes, extra=extra)


def test_cost():
    case = depthwise_case(WindowGeometry(6, 8, (3, 3), (2, 1), (0, 1, 1, 1)), 10, (3, 4), (2, 2))
    stage = case.component
    assert stage.multipliers == 12
    assert stage.cycles_per_frame == 3 * 8 * 3 * 3
    assert stage.memory_bits == stage.window.memory_bits + stage.mac.memory_bits
