"""What random networks are drawn with: numbers, shapes and scales of a seeded generator, and the tensors so far."""

from __future__ import annotations

import numpy as np

from mbconv.training.tflite_writer import PADDINGS, TfliteWriter, output_size

ACTIVATIONS = ("NONE", "NONE", "RELU", "RELU6")
KERNELS = ((1, 1), (3, 3), (3, 3), (5, 5), (1, 3), (3, 1), (5, 3), (1, 5), (7, 1))
STRIDES = ((1, 1), (1, 1), (2, 2), (2, 1), (1, 2), (3, 3))
SPREAD = 74  # standard deviation of uniform int8


class Drawing:
    """A file that is being drawn.

    Args:
        seed: the same one gives the same file.
        work: multiplications of a frame, about; larger drawings are left out.
    """

    def __init__(self, seed: int, work: int):
        self.seed, self.left = seed, work
        self.rng = np.random.default_rng(seed)
        self.writer = TfliteWriter(f"random_{seed}")
        self.unsigned = self.chance(0.2)
        self.low, self.high = (0, 255) if self.unsigned else (-128, 127)
        self.tensors: list[int] = []  # those that may be read
        self.read: set[int] = set()
        self.given: list[int] = []  # the inputs, as operators read them
        self.renamed: set[int] = set()  # inputs and what RESHAPE makes of them

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def one_of(self, values):
        return values[int(self.rng.integers(len(values)))]

    def number(self, low: int, high: int) -> int:
        """Of both ends, small ones more often."""
        return int(np.floor(np.exp(self.rng.uniform(np.log(low), np.log(high + 1)))))

    def scale(self, near: float = 0.03) -> float:
        return float(np.float32(near * np.exp(self.rng.normal(0, 0.5))))

    def zero_point(self) -> int:
        if self.chance(0.4):
            return self.low
        return int(self.rng.integers(self.low, self.high + 1))

    def shape(self, tensor: int) -> tuple[int, ...]:
        return self.writer.tensors[tensor].shape

    def scale_of(self, tensor: int) -> float:
        return float(self.writer.tensors[tensor].scales[0])

    def zero_point_of(self, tensor: int) -> int:
        return int(self.writer.tensors[tensor].zero_points[0])

    def pick(self, rank: int | None = None) -> int | None:
        """A tensor to read: mostly a late one, sometimes any, so that some are read again and again."""
        found = [t for t in self.tensors if rank is None or len(self.shape(t)) == rank]
        if not found:
            return None
        return found[-1] if self.chance(0.55) else self.one_of(found)

    def added(self, output: int, *read: int) -> None:
        self.read.update(read)
        self.tensors.append(output)

    def affordable(self, work: int) -> bool:
        """Whether so many multiplications are left; they are spent."""
        if work > self.left:
            return False
        self.left -= work
        return True

    def weights(self, shape: tuple[int, ...]) -> tuple[np.ndarray, int]:
        """Weights and their zero point; now and then of a channel that is pruned."""
        low, high, zero = (0, 256, int(self.rng.integers(90, 166))) if self.unsigned else (-127, 128, 0)
        weights = self.rng.integers(low, high, shape)
        if self.chance(0.1):
            weights[int(self.rng.integers(shape[0]))] = zero
        return weights, zero

    def requantised(self, x: int, terms: int, outputs: int) -> tuple[float, np.ndarray | float, np.ndarray]:
        """The scales of output and weights with which results spread, and the bias."""
        scale = self.scale()
        base = self.one_of((0.03, 0.5, 1.2, 1.2, 2.5, 20)) * scale / (self.scale_of(x) * np.sqrt(terms) * SPREAD)
        if self.unsigned or self.chance(0.3):
            scales = float(np.float32(base))
        else:
            scales = (base * self.rng.uniform(0.5, 1.6, outputs)).astype(np.float32)
        spread = int(SPREAD * SPREAD * np.sqrt(terms) / 3) + 2
        return scale, scales, self.rng.integers(-spread, spread, outputs)

    def mapped(self, x: int, kernel: tuple[int, int], strides: tuple[int, int], padding: str) -> int | None:
        """Pixels of a window's output; None where the kernel is larger than the map."""
        sizes = self.shape(x)[1:3]
        if padding == "VALID" and any(size < k for size, k in zip(sizes, kernel, strict=True)):
            return None
        return int(np.prod([output_size(s, k, n, padding) for s, k, n in zip(sizes, kernel, strides, strict=True)]))

    def window(self, x: int) -> tuple[tuple[int, int], tuple[int, int], str]:
        return self.one_of(KERNELS), self.one_of(STRIDES), self.one_of(PADDINGS)
