"""Several outputs of each channel, and maps resized, in whole networks: equal to LiteRT, cycles as counted."""

import numpy as np
import pytest
from engine_networks import MEMORY, SMALL, faults
from whole_file import check_file

from mbconv.frames import random_frames
from mbconv.generators.engine.compile import compile_network
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.engine.simulate import simulate_programs
from mbconv.training.tflite_writer import TfliteWriter


def multiplied(path) -> None:
    """A convolution, 3 outputs of each of its channels, 2 of each of those with strides, a convolution."""
    rng = np.random.default_rng(8)
    w = TfliteWriter("multiplied")
    x = w.input("x", (1, 7, 6, 3), 1 / 64, 3)
    x = w.convolution(x, rng.integers(-127, 128, (4, 1, 1, 3)), 0.004, rng.integers(-99, 99, 4), 6 / 255, -128)
    x = w.depthwise(x, rng.integers(-127, 128, (3, 3, 12)), 0.004, rng.integers(-99, 99, 12), 6 / 255, -128)
    x = w.depthwise(x, rng.integers(-127, 128, (2, 3, 24)), 0.003, rng.integers(-99, 99, 24), 6 / 255, 9, (2, 2))
    w.output(w.convolution(x, rng.integers(-127, 128, (5, 1, 1, 24)), 0.002, rng.integers(-99, 99, 5), 0.05, 0))
    w.write(path)


def resized(path) -> None:
    """What a decoder of a segmentation does: enlarged twice and joined with a map of before, then smaller again."""
    rng = np.random.default_rng(9)
    w = TfliteWriter("resized")
    x = w.input("x", (1, 8, 6, 3), 1 / 64, 3)
    wide = w.convolution(x, rng.integers(-127, 128, (4, 3, 3, 3)), 0.002, rng.integers(-99, 99, 4), 6 / 255, -128)
    y = w.max_pool(wide, (2, 2), (2, 2))
    y = w.convolution(y, rng.integers(-127, 128, (4, 1, 1, 4)), 0.004, rng.integers(-99, 99, 4), 6 / 255, -128)
    y = w.resize(y, 8, 6, bilinear=True, half_pixel_centers=True)
    y = w.add(wide, y, 0.04, -5)
    y = w.resize(y, 16, 18, bilinear=True, align_corners=True)
    y = w.resize(y, 8, 9, bilinear=True, half_pixel_centers=True)
    y = w.resize(y, 8, 27)
    w.output(w.convolution(y, rng.integers(-127, 128, (2, 1, 1, 4)), 0.004, rng.integers(-99, 99, 2), 0.05, 0))
    w.write(path)


@pytest.mark.parametrize(
    ("network", "multipliers"),
    [
        (multiplied, 70),
        (resized, 4),
        pytest.param(multiplied, 4, marks=pytest.mark.slow),
        pytest.param(resized, 70, marks=pytest.mark.slow),
    ],
)
def test_whole(network, multipliers, tmp_path):
    path = tmp_path / f"{network.__name__}.tflite"
    network(path)
    check_file(path, multipliers)


def test_multiplied_on_the_engine(tmp_path):
    """Each output's own channel is a convolution's only weight that is not 0."""
    path = tmp_path / "multiplied.tflite"
    multiplied(path)
    program = compile_network(read_tflite(path), SMALL, timing=MEMORY)
    assert not faults(simulate_programs([(program, random_frames(program.graph, 2, 4))]))
