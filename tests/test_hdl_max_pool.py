"""Maxima over windows: kernels of any size, strides, paddings, lanes, element shapes; data and cycles exact."""

import zlib

import numpy as np
import pytest
from amaranth.hdl import Shape, signed, unsigned
from circuits import OTHER
from elements import random_elements
from windowed import counted_cycles, windows

from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.max_pool import MaxPool, MaxPoolParameters
from mbconv.hdl.window_geometry import WindowGeometry
from mbconv.hdl.window_parameters import WindowParameters
from mbconv.sim.circuits.testbench import Case, Expected, run_cases, tensor_beats

FRAMES = 3


def case(
    geometry: WindowGeometry,
    channels: int,
    lanes: int,
    taps: int,
    *,
    shape: Shape = signed(8),
    limits: tuple[int, int] | None = None,
    extra: int | None = None,
    family: Family = GENERIC,
) -> Case:
    """A case whose reference is numpy's maximum; the ring holds ``extra`` pixels beyond the least, or a whole frame."""
    low, high = (-(1 << shape.width - 1), (1 << shape.width - 1) - 1) if shape.signed else (0, (1 << shape.width) - 1)
    minimum, maximum = limits or (low, high)
    least = geometry.minimum_capacity(taps)
    capacity = geometry.round_capacity(least + (geometry.pixels if extra is None else extra), taps)
    window = WindowParameters(geometry, shape, channels, lanes, taps, capacity, low, family)
    pool = MaxPool(MaxPoolParameters(window, minimum, maximum))
    name = f"{geometry}, {channels} channels, {lanes} lanes, {taps} taps, {shape}, ring of {capacity}"
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    x = random_elements(rng, shape, (FRAMES, geometry.height, geometry.width, channels))
    result = np.clip(windows(geometry, x, low).max(axis=3), minimum, maximum)
    interval, latency = counted_cycles(pool, FRAMES)
    if extra is None:
        assert interval == max(pool.cycles_per_frame, geometry.pixels * window.groups), name
    beats, _ = tensor_beats(x, lanes, random_elements(rng, shape, (97,)))
    return Case(
        name, pool, {"i": beats}, {"o": Expected.tensor(result, lanes)}, FRAMES, interval=interval, latency=latency
    )


SAME = (1, 1, 1, 1)
TWO = WindowGeometry(6, 8, (2, 2), (2, 2))
CASES = [
    # the usual window, its taps one by one, by rows, at once; lanes that do not divide the channels
    *(case(TWO, 5, 2, taps) for taps in (1, 2, 4)),
    *(case(TWO, 4, 4, taps, extra=0, family=OTHER) for taps in (1, 2, 4)),
    # overlapping windows, padding on any side, strides of each axis, rows and columns that no window reads
    *(case(WindowGeometry(5, 6, (3, 3), (1, 1), SAME), 3, 1, taps) for taps in (1, 3, 9)),
    *(case(WindowGeometry(7, 7, (3, 3), (2, 2), (0, 1, 0, 1)), 3, 3, taps) for taps in (1, 3, 9)),
    *(case(WindowGeometry(7, 5, (2, 3), (3, 1), (0, 1, 1, 0)), 2, 1, taps, extra=3) for taps in (1, 3, 6)),
    case(WindowGeometry(6, 5, (4, 1), (2, 1), (1, 2, 0, 0)), 4, 2, 4),
    case(WindowGeometry(4, 4, (4, 4)), 3, 2, 16),
    case(WindowGeometry(3, 4, (1, 1), (2, 3)), 3, 2, 1),
    # element shapes, limits
    case(TWO, 2, 2, 2, shape=unsigned(8), limits=(20, 200)),
    case(TWO, 2, 1, 4, shape=signed(12), limits=(0, 1000)),
    case(TWO, 2, 1, 1, shape=signed(4), limits=(-8, 3)),
]


def test_maxima():
    run_cases(CASES)


def test_cost():
    pool = MaxPool(MaxPoolParameters(WindowParameters(TWO, signed(8), 4, 2, 2, pad_value=-128), minimum=0))
    assert (pool.multipliers, pool.parameters.comparisons) == (0, 2 * (1 + 1 + 1))
    assert pool.cycles_per_frame == 12 * 2 * 2
    assert pool.memory_bits == pool.window.memory_bits + pool.queue.memory_bits


@pytest.mark.parametrize(("limits", "shape"), [((3, 2), signed(8)), ((-129, 5), signed(8)), ((0, 256), unsigned(8))])
def test_refuses_limits(limits, shape):
    with pytest.raises(ValueError, match=f"limits {limits[0]} to {limits[1]} are not within"):
        window = WindowParameters(TWO, shape, 1, 1, pad_value=-128 if shape.signed else 0)
        MaxPoolParameters(window, *limits)


def test_refuses_padding_that_counts():
    with pytest.raises(ValueError, match="padding of 0 would count; it must hold -128"):
        MaxPoolParameters(WindowParameters(TWO, signed(8), 1, 1))
