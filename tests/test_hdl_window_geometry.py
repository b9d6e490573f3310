"""What a window needs and frees, against a model that looks at every tap."""

import itertools

import numpy as np
import pytest
from windowed import window_times

from mbconv.hdl.window_geometry import RELEASE_DELAY, WindowGeometry


def naive(geometry: WindowGeometry) -> tuple[list[int], list[int]]:
    """Required and released pixels, by listing the pixels of every window."""
    windows = []
    for y, x in itertools.product(range(geometry.output_height), range(geometry.output_width)):
        pixels = []
        for i, j in itertools.product(*map(range, geometry.kernel)):
            row = y * geometry.strides[0] - geometry.padding[0] + i
            column = x * geometry.strides[1] - geometry.padding[2] + j
            if 0 <= row < geometry.height and 0 <= column < geometry.width:
                pixels.append(row * geometry.width + column)
        windows.append(pixels)
    required = [max((p + 1 for w in windows[: n + 1] for p in w), default=0) for n in range(len(windows))]
    released = [min((p for w in windows[n + 1 :] for p in w), default=geometry.pixels) for n in range(len(windows))]
    return required, released


def geometries():
    """All that fit, of small maps, kernels, strides and paddings."""
    maps = [(1, 1), (1, 5), (4, 1), (2, 3), (5, 4), (7, 6)]
    kernels = [(1, 1), (3, 3), (1, 3), (3, 1), (5, 3), (5, 5)]
    strides = [(1, 1), (2, 2), (1, 2), (2, 1), (3, 3)]
    paddings = [(0, 0, 0, 0), (1, 1, 1, 1), (0, 1, 0, 1), (2, 2, 2, 2), (1, 0, 2, 1), (3, 0, 0, 4), (-1, 0, -1, -1)]
    for (height, width), kernel, stride, padding in itertools.product(maps, kernels, strides, paddings):
        if height + sum(padding[:2]) >= kernel[0] and width + sum(padding[2:]) >= kernel[1]:
            yield WindowGeometry(height, width, kernel, stride, padding)


def test_required_and_released_equal_the_naive_model():
    count = 0
    for geometry in geometries():
        required, released = naive(geometry)
        assert geometry.required.tolist() == required, geometry
        assert geometry.released.tolist() == released, geometry
        count += 1
    assert count > 500


def test_minimum_capacity_is_the_least_without_deadlock():
    for geometry in geometries():
        least = geometry.minimum_capacity()
        arguments = {"groups": 2, "steps": 3, "offered": np.zeros(4 * geometry.pixels), "frames": 2}
        window_times(geometry, capacity=least, **arguments)
        if least > 1:
            with pytest.raises(ValueError, match="too small"):
                window_times(geometry, capacity=least - 1, **arguments)


def test_the_taps_decide_the_unit_of_capacity():
    geometry = WindowGeometry(9, 10, (3, 3), (1, 1), (1, 1, 1, 1))
    assert geometry.minimum_capacity(1) == 23  # two rows and three pixels
    assert geometry.minimum_capacity(3) == 24
    assert geometry.minimum_capacity(9) == 30
    assert geometry.round_capacity(31, 9) == 40
    assert [geometry.steps(taps) for taps in (1, 3, 9)] == [9, 3, 1]


def test_two_rows_and_a_few_pixels_keep_a_unit_stride_busy():
    geometry = WindowGeometry(8, 8, (3, 3), (1, 1), (1, 1, 1, 1))
    starts = window_times(geometry, capacity=2 * 8 + 6, groups=1, steps=1, offered=np.zeros(3 * 64), frames=3)[1]
    assert (np.diff(starts[64:]) == 1).all()


def test_the_last_rows_do_not_wait_for_a_next_frame():
    geometry = WindowGeometry(4, 4, (3, 3), (1, 1), (1, 1, 1, 1))
    offered = np.concatenate([np.arange(16), np.full(16, 1000)])
    _, starts = window_times(geometry, capacity=16, groups=1, steps=1, offered=offered, frames=2)
    assert starts[15] < 100 and starts[16] > 1000


def test_a_full_ring_waits_for_the_release():
    geometry = WindowGeometry(1, 8, (1, 1))
    accepted, starts = window_times(geometry, capacity=1, groups=1, steps=5, offered=np.zeros(8), frames=1)
    assert (accepted[1:] == starts[:-1] + 4 + RELEASE_DELAY).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((0, 4, (3, 3)), "height .* not 0"),
        ((4, 4, (0, 3)), r"at least 1, not \(0, 3\)"),
        ((4, 4, (3, 3), (0, 1)), r"strides .* \(0, 1\)"),
        ((2, 4, (3, 3)), "smaller than the kernel"),
        ((4, 4, (3, 3), (1, 1), (0, 0)), "padding has 4 numbers"),
    ],
)
def test_impossible_geometries_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        WindowGeometry(*arguments)


def test_taps_that_no_window_gives_are_refused():
    with pytest.raises(ValueError, match="2 taps per cycle"):
        WindowGeometry(8, 8, (3, 3)).steps(2)
