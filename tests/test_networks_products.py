"""Products of two tensors in networks: squeeze-excite, either order, views; equal to LiteRT, cycles as counted."""

import numpy as np
import pytest
from whole_file import check_file

from mbconv.training.tflite_writer import TfliteWriter


def network(path) -> None:
    """A block of MobileNetV3 with a residual, a vector of rank 2, a gate for each pixel."""
    rng = np.random.default_rng(3)
    w = TfliteWriter("products")
    x = w.input("x", (1, 6, 5, 4), 1 / 64, 3)

    def pointwise(source: int, channels: int, name: str) -> int:
        weights = rng.integers(-127, 128, (channels, 1, 1, w.tensors[source].shape[-1]))
        return w.convolution(source, weights, 0.006, rng.integers(-999, 999, channels), 0.03, -5, name=name)

    wide = w.unary("HARD_SWISH", pointwise(x, 12, "expand"), 0.02, -100)
    wide = w.depthwise(wide, rng.integers(-127, 128, (3, 3, 12)), 0.004, rng.integers(-99, 99, 12), 6 / 255, -128)
    vector = pointwise(pointwise(w.mean(wide, 0.02, -90, keep=True), 3, "squeeze"), 12, "excite")
    gate = w.unary("LOGISTIC", vector, 1 / 256, -128)
    scaled = w.arithmetic("MUL", wide, gate, 0.012, -120)
    joined = w.add(x, pointwise(scaled, 4, "project"), 0.04, 2)
    attention = w.unary("LOGISTIC", pointwise(joined, 1, "attention"), 1 / 256, -128)
    attended = w.arithmetic("MUL", attention, joined, 0.02, 7)
    flat = w.mean(attended, 0.02, 1)
    w.output(w.arithmetic("MUL", flat, attended, 0.03, 0))
    w.output(w.add(attended, flat, 0.03, 0))
    w.write(path)


@pytest.mark.parametrize("multipliers", [7, 40])
def test_squeeze_excite(multipliers, tmp_path):
    path = tmp_path / "products.tflite"
    network(path)
    check_file(path, multipliers)
