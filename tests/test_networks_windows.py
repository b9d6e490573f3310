"""Windows of any size in networks: maxima and even kernels, equal to LiteRT, cycles as counted."""

import numpy as np
import pytest
from whole_file import check_file

from mbconv.training.tflite_writer import TfliteWriter


def network(path) -> None:
    """Keyword spotting's 10×4 window, a 4×4 depthwise one, maxima with SAME and VALID, alone and behind ReLU."""
    rng = np.random.default_rng(3)
    w = TfliteWriter("windows")
    x = w.input("x", (1, 16, 9, 1), 1 / 64, 3)
    weights = rng.integers(-127, 128, (6, 10, 4, 1))
    x = w.convolution(x, weights, 0.0015, rng.integers(-99, 99, 6), 6 / 255, -128, (1, 2))
    x = w.max_pool(x, (2, 2), (2, 2))
    x = w.depthwise(x, rng.integers(-127, 128, (4, 4, 6)), 0.004, rng.integers(-99, 99, 6), 6 / 255, -128)
    x = w.max_pool(x, (3, 3), (1, 2), padding="SAME")
    w.output(w.convolution(x, rng.integers(-127, 128, (5, 2, 1, 6)), 0.004, rng.integers(-99, 99, 5), 0.05, 0))
    w.write(path)


@pytest.mark.parametrize("multipliers", [3, 60])
def test_windows_of_any_size(multipliers, tmp_path):
    path = tmp_path / "windows.tflite"
    network(path)
    check_file(path, multipliers)
