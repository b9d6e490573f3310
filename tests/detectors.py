"""Small detectors as files, for tests: two maps of encodings and scores, with and without an operator behind them."""

import numpy as np

from mbconv.training.tflite_writer import TfliteWriter

OPTIONS = ["aspect_ratios=[1.0, 2.0]", "interpolated_aspect_ratio=0", "reduce_boxes_in_lowest_layer=false"]
"""Two boxes at each place."""


def detector(seed: int, scores: int = 3, boxes: int = 2, side: int = 16) -> tuple[TfliteWriter, int, int]:
    """Maps of ``side`` ÷ 4 and ``side`` ÷ 8 with random weights: the writer, the encodings [1, N, 4] and the scores."""
    rng = np.random.default_rng(seed)
    w = TfliteWriter("detector")

    def convolution(x, kernel, channels, scale, strides=(1, 1), zero_point=0):
        weights = rng.integers(-127, 128, (channels, kernel, kernel, w.tensors[x].shape[3]))
        bias = rng.integers(-2000, 2000, channels)
        return w.convolution(x, weights, 0.01, bias, scale, zero_point, strides)

    x = w.input("picture", (1, side, side, 3), 1 / 127.5, -1)
    maps = [convolution(x, 3, 4, 0.08, (4, 4))]
    maps.append(convolution(maps[0], 3, 4, 0.08, (2, 2)))
    encodings, numbers = [], []
    for one in maps:
        places = w.tensors[one].shape[1] * w.tensors[one].shape[2] * boxes
        encodings.append(w.reshape(convolution(one, 1, 4 * boxes, 0.06, zero_point=3), (1, places, 4)))
        numbers.append(w.reshape(convolution(one, 1, scores * boxes, 0.05), (1, places, scores)))
    return w, w.concatenation(encodings, 1), w.concatenation(numbers, 1)
