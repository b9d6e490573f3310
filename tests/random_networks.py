"""Random valid networks that nobody chose, as ``.tflite`` files: branches, joins, odd shapes, every operator.

A network is drawn operator by operator. Each reads tensors drawn from all that are there, so that some have three
readers and some none, which makes them outputs; scales are drawn so that results spread over their range.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mbconv.training.tflite_writer import PADDINGS, TfliteWriter, output_size

KERNELS = ((1, 1), (3, 3), (3, 3), (5, 5), (1, 3), (3, 1), (5, 3), (1, 5), (7, 1))
STRIDES = ((1, 1), (1, 1), (2, 2), (2, 1), (1, 2), (3, 3))
ACTIVATIONS = ("NONE", "NONE", "RELU", "RELU6")
PAIRS = ("ADD", "SUB", "MUL", "MUL", "MAXIMUM", "MINIMUM")
SPREAD = 74  # standard deviation of uniform int8


def fits(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether a tensor can be repeated over another, of up to three axes besides the first."""
    return len(other) == len(shape) and all(b in (1, a) for a, b in zip(shape, other, strict=True))


class RandomNetwork:
    """A network drawn from a seed.

    Args:
        seed: the same one gives the same file.
        work: multiplications of a frame, about; larger drawings are left out.
    """

    def __init__(self, seed: int, work: int = 40_000):
        self.seed, self.left = seed, work
        self.rng = np.random.default_rng(seed)
        self.writer = TfliteWriter(f"random_{seed}")
        self.unsigned = self.chance(0.2)
        self.low, self.high = (0, 255) if self.unsigned else (-128, 127)
        self.tensors: list[int] = []  # those that may be read
        self.read: set[int] = set()
        self.given: list[int] = []  # the inputs, as operators read them
        self.renamed: set[int] = set()  # inputs and what RESHAPE makes of them
        for _ in range(1 + int(self.chance(0.15))):
            self.add_input()
        for _ in range(int(self.rng.integers(1, 10))):
            self.add_operator()
        if self.chance(0.5):
            self.add_tail()
        self.join_ends()

    # Drawing

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

    def pick(self, rank: int | None = None) -> int | None:
        """A tensor to read: mostly a late one, sometimes any, so that some are read again and again."""
        found = [t for t in self.tensors if rank is None or len(self.shape(t)) == rank]
        if not found:
            return None
        return found[-1] if self.chance(0.55) else self.one_of(found)

    def added(self, output: int, *read: int) -> None:
        self.read.update(read)
        self.tensors.append(output)

    # Operators

    def add_input(self) -> None:
        """Integers, real numbers that are quantised at once, or a map whose channels come first."""
        height, width, channels = self.number(1, 13), self.number(1, 13), self.number(1, 9)
        name, dtype = f"input_{len(self.tensors)}", "uint8" if self.unsigned else "int8"
        scale, zero = self.scale(), self.zero_point()
        kind = self.rng.random()
        if kind < 0.1:
            x = self.writer.input(name, (1, channels, height, width), scale, zero, dtype)
            x = self.writer.transpose(x, (0, 2, 3, 1))
        elif kind < 0.2:
            x = self.writer.input(name, (1, height, width, channels), dtype="float32")
            x = self.writer.quantize(x, scale, zero, dtype)
        else:
            x = self.writer.input(name, (1, height, width, channels), scale, zero, dtype)
        self.tensors.append(x)
        self.given.append(x)
        self.renamed.add(x)

    def add_operator(self) -> None:
        kinds = (
            (self.convolution, 5),
            (self.depthwise, 4),
            (self.pointwise, 4),
            (self.add, 4),
            (self.repeated, 2),
            (self.squeeze_excite, 2),
            (self.concatenation, 2),
            (self.padded, 1),
            (self.enlarged, 1),
            (self.pooled, 2),
            (self.averaged, 1),
            (self.sliced, 1),
            (self.split, 1),
            (self.constant_arithmetic, 2),
            (self.table, 2),
            (self.pad, 1),
            (self.fully_connected, 1),
            (self.every_pixel, 1),
            (self.view, 1),
            (self.residual, 3),
        )
        weights = np.array([weight for _, weight in kinds], float)
        kinds[int(self.rng.choice(len(kinds), p=weights / weights.sum()))][0]()

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

    def affordable(self, work: int) -> bool:
        """Whether so many multiplications are left; they are spent."""
        if work > self.left:
            return False
        self.left -= work
        return True

    def convolution(self, x: int | None = None, channels: int | None = None, strides=None, padding=None) -> int | None:
        x = self.pick(4) if x is None else x
        if x is None:
            return None
        kernel, any_strides, any_padding = self.window(x)
        strides, padding = strides or any_strides, padding or any_padding
        pixels, ci, co = self.mapped(x, kernel, strides, padding), self.shape(x)[3], channels or self.number(1, 12)
        terms = kernel[0] * kernel[1] * ci
        if pixels is None or not self.affordable(pixels * co * terms):
            return None
        weights, zero = self.weights((co, *kernel, ci))
        scale, scales, bias = self.requantised(x, terms, co)
        y = self.writer.convolution(
            x, weights, scales, bias, scale, self.zero_point(), strides, padding, self.one_of(ACTIVATIONS), zero
        )
        if (strides, padding) == ((1, 1), "SAME") and self.chance(0.1):
            self.writer.operators[-1].fields.update(DilationHFactor=2, DilationWFactor=self.one_of((1, 2)))
        self.added(y, x)
        return y

    def pointwise(self) -> None:
        x = self.pick(4)
        if x is None:
            return
        ci, co, pixels = self.shape(x)[3], self.number(1, 16), int(np.prod(self.shape(x)[1:3]))
        if self.affordable(pixels * ci * co):
            weights, zero = self.weights((co, 1, 1, ci))
            scale, scales, bias = self.requantised(x, ci, co)
            y = self.writer.convolution(
                x, weights, scales, bias, scale, self.zero_point(), (1, 1), "SAME", self.one_of(ACTIVATIONS), zero
            )
            self.added(y, x)

    def depthwise(self, x: int | None = None, same: bool = False) -> int | None:
        x = self.pick(4) if x is None else x
        if x is None:
            return None
        kernel, strides, padding = self.window(x)
        if same:
            strides, padding = (1, 1), "SAME"
        pixels, channels = self.mapped(x, kernel, strides, padding), self.shape(x)[3]
        outputs = channels * (self.number(1, 8) if channels == 1 else 1)
        terms = kernel[0] * kernel[1]
        if pixels is None or not self.affordable(pixels * outputs * terms):
            return None
        weights, zero = self.weights((*kernel, outputs))
        scale, scales, bias = self.requantised(x, terms, outputs)
        y = self.writer.depthwise(
            x, weights, scales, bias, scale, self.zero_point(), strides, padding, self.one_of(ACTIVATIONS), zero
        )
        self.added(y, x)
        return y

    def add(self) -> None:
        """Two tensors of one shape, which may be one tensor."""
        a = self.pick()
        b = self.one_of([t for t in self.tensors if self.shape(t) == self.shape(a)])
        self.added(self.writer.add(a, b, self.scale(), self.zero_point(), self.one_of(ACTIVATIONS)), a, b)

    def joined(self, a: int, b: int) -> int:
        """An operator of two tensors, of which one may be repeated over the other."""
        code = self.one_of(PAIRS)
        scale = self.scale()
        if code == "MUL":
            scale = self.scale(SPREAD * self.scale_of(a) * self.scale_of(b))
        y = self.writer.arithmetic(code, a, b, scale, self.zero_point(), self.one_of(ACTIVATIONS))
        self.added(y, a, b)
        return y

    def repeated(self) -> None:
        """Two tensors, of which either may be one for all rows, columns or channels of the other."""
        a = self.pick()
        found = [t for t in self.tensors if fits(self.shape(a), self.shape(t))]
        b = self.one_of(found)
        self.joined(*((a, b) if self.chance(0.5) else (b, a)))

    def squeeze_excite(self) -> None:
        """A map scaled by numbers that are made of all of it."""
        x = self.pick(4)
        if x is None:
            return
        channels = self.shape(x)[3]
        y = self.writer.mean(x, self.scale(), self.zero_point(), keep=True)
        if self.affordable(channels * channels):
            weights, zero = self.weights((channels, 1, 1, channels))
            scale, scales, bias = self.requantised(y, channels, channels)
            y = self.writer.convolution(
                y, weights, scales, bias, scale, self.zero_point(), (1, 1), "SAME", "NONE", zero
            )
        if not self.unsigned and self.chance(0.5):
            y = self.writer.unary("LOGISTIC", y, 1 / 256, -128)
        pair = (x, y) if self.chance(0.7) else (y, x)
        scale = self.scale(SPREAD * self.scale_of(x) * self.scale_of(y))
        self.added(self.writer.arithmetic("MUL", *pair, scale, self.zero_point(), self.one_of(ACTIVATIONS)), x, y)

    def padded(self) -> None:
        """A PAD that anything may read, of channels too."""
        x = self.pick(4)
        if x is None:
            return
        sides = [int(self.rng.integers(0, 3)) for _ in range(4)]
        channels = self.one_of(((0, 0), (0, 0), (0, self.number(1, 6)), (self.number(1, 6), 0), (2, 1)))
        self.added(self.writer.pad(x, *sides, channels=channels), x)

    def enlarged(self) -> None:
        x = self.pick(4)
        if x is None:
            return
        _, height, width, channels = self.shape(x)
        down, across = self.number(1, 3), self.number(1, 3)
        if self.affordable(height * down * width * across * channels):
            y = self.writer.resize(x, height * down, width * across, half_pixel_centers=self.chance(0.5))
            self.added(y, x)

    def pooled(self) -> None:
        """The mean or the greatest of windows, at the border of what lies in the map."""
        x = self.pick(4)
        if x is None:
            return
        kernel, strides, padding = self.window(x)
        pixels = self.mapped(x, kernel, strides, padding)
        if pixels is None or not self.affordable(pixels * kernel[0] * kernel[1] * self.shape(x)[3]):
            return
        pool = self.one_of((self.writer.average_pool, self.writer.average_pool, self.writer.max_pool))
        self.added(pool(x, kernel, strides, padding, self.one_of(ACTIVATIONS)), x)

    def averaged(self) -> None:
        """The mean of each row, of each column, or of all, its axes in any order."""
        x = self.pick(4)
        if x is not None:
            axes = self.one_of(((1,), (2,), (2, 1), (1, 2)))
            self.added(self.writer.mean(x, self.scale(), self.zero_point(), keep=True, axes=axes), x)

    def sliced(self) -> None:
        """Some rows, columns and channels, and what reads them: at the end they are the host's."""
        x = self.pick(4)
        if x is None or x in self.renamed:
            return
        begin, end, steps = [0], [1], [1]
        for size in self.shape(x)[1:]:
            first = int(self.rng.integers(0, size)) if self.chance(0.5) else 0
            begin.append(first)
            end.append(int(self.rng.integers(first + 1, size + 1)) if self.chance(0.5) else size)
            steps.append(self.one_of((1, 1, 1, 2)))
        y = self.writer.strided_slice(x, begin, end, steps)
        self.read.add(x)
        self.convolution(y, strides=(1, 1), padding="SAME")

    def split(self) -> None:
        """Equal parts of a map, along any axis."""
        x = self.pick(4)
        if x is None or x in self.renamed:
            return
        found = [(axis, n) for axis in (1, 2, 3) for n in (2, 3) if self.shape(x)[axis] % n == 0]
        if found:
            axis, parts = self.one_of(found)
            for part in self.writer.split(x, parts, axis):
                self.added(part, x)

    def concatenation(self) -> None:
        """Two or three tensors along any axis, and what reads them: at the end it is the host's. Those of uint8 are
        rescaled, those of int8 quantised alike before."""
        x = self.pick(4)
        if x is None:
            return
        axis, parts = self.one_of((1, 2, 3, 3, 3)), []
        for _ in range(2 + int(self.chance(0.3))):
            same = [
                t for t in self.tensors if len(self.shape(t)) == 4 and self.shape(t)[1:axis] == self.shape(x)[1:axis]
                and self.shape(t)[axis + 1 :] == self.shape(x)[axis + 1 :]
            ]  # fmt: skip
            parts.append(self.one_of(same))
        scale, zero, dtype = self.scale(), self.zero_point(), "uint8" if self.unsigned else "int8"
        alike = parts
        if not (self.unsigned and self.chance(0.5)):
            alike = [self.writer.quantize(part, scale, zero, dtype) for part in parts]
        y = self.writer.concatenation(alike, axis)
        self.read.update(parts)
        self.convolution(y, strides=(1, 1), padding="SAME")

    def residual(self) -> None:
        """Branches of one tensor, computed or not, joined; sometimes three."""
        x = self.pick(4)
        if x is None:
            return
        ends = [x] if self.chance(0.5) else []
        while len(ends) < 2 + int(self.chance(0.3)):
            y = self.depthwise(x, same=True) if self.chance(0.5) else x
            if y is not None and (y == x or self.chance(0.6)):
                y = self.convolution(y, self.shape(x)[3], (1, 1), "SAME")
            if y is None or self.shape(y) != self.shape(x):
                return
            ends.append(y)
        while len(ends) > 1:
            a, b = ends.pop(), ends.pop()
            y = self.writer.add(a, b, self.scale(), self.zero_point(), self.one_of(ACTIVATIONS))
            self.added(y, a, b)
            ends.append(y)

    def constant_arithmetic(self) -> None:
        x = self.pick()
        channels = self.shape(x)[-1]
        shape = self.one_of(((1,), (channels,)))
        constant = self.rng.integers(self.low, self.high + 1, shape)
        code = self.one_of(("MUL", "SUB", "ADD"))
        y = self.writer.constant_arithmetic(
            code, x, constant, self.scale(), self.zero_point(), self.scale(), self.zero_point(), self.chance(0.5),
            self.one_of(ACTIVATIONS),
        )  # fmt: skip
        self.added(y, x)

    def table(self) -> None:
        x, w = self.pick(), self.writer
        kinds = ["RELU", "RELU6", "QUANTIZE"]
        if not self.unsigned:
            kinds += ["HARD_SWISH", "LEAKY_RELU", "TANH", "LOGISTIC", "PRELU", "RELU_N1_TO_1"]
        kind = self.one_of(kinds)
        scale, zero = self.scale(), self.zero_point()
        if kind == "QUANTIZE":
            y = w.quantize(x, scale, zero, "uint8" if self.unsigned else "int8")
        elif kind == "TANH":
            y = w.unary(kind, x, 1 / 128, 0)
        elif kind == "LOGISTIC":
            y = w.unary(kind, x, 1 / 256, -128)
        elif kind == "HARD_SWISH":
            y = w.unary(kind, x, scale, zero)
        elif kind == "LEAKY_RELU":
            y = w.unary(kind, x, scale, zero, "LeakyReluOptions", {"Alpha": float(self.rng.uniform(0, 0.9))})
        elif kind == "PRELU":
            slopes = self.rng.integers(-99, 99, (1,) * (len(self.shape(x)) - 2) + (self.shape(x)[-1],))
            y = w.prelu(x, slopes, 0.01, 2, scale, zero)
        else:
            y = w.rectify(x, kind, scale, zero)
        self.added(y, x)

    def pad(self) -> None:
        """A PAD, which only a window may read."""
        x = self.pick(4)
        if x is None:
            return
        top, bottom, left, right = (int(self.rng.integers(0, 2)) for _ in range(4))
        kernel = self.one_of(((3, 3), (5, 5), (3, 5)))
        height, width, ci = self.shape(x)[1:]
        if height + top + bottom < kernel[0] or width + left + right < kernel[1]:
            return
        strides, co = self.one_of(STRIDES), self.number(1, 8)
        pixels = output_size(height + top + bottom, kernel[0], strides[0], "VALID") * output_size(
            width + left + right, kernel[1], strides[1], "VALID"
        )
        terms = kernel[0] * kernel[1] * ci
        if not self.affordable(pixels * terms * co):
            return
        padded = self.writer.pad(x, top, bottom, left, right)
        weights, zero = self.weights((co, *kernel, ci))
        scale, scales, bias = self.requantised(x, terms, co)
        y = self.writer.convolution(
            padded, weights, scales, bias, scale, self.zero_point(), strides, "VALID", "NONE", zero
        )
        self.added(y, x)

    def fully_connected(self, x: int | None = None) -> int | None:
        x = self.pick() if x is None else x
        size, outputs = int(np.prod(self.shape(x)[1:])), self.number(1, 20)
        if not self.affordable(size * outputs):
            return None
        flat = x
        if len(self.shape(x)) == 4 and self.chance(0.6):
            flat = self.writer.reshape(x, (1, size))
        weights, zero = self.weights((outputs, size))
        scale, scales, bias = self.requantised(x, size, outputs)
        y = self.writer.fully_connected(
            flat, weights, scales if np.ndim(scales) == 0 else float(scales[0]), bias, scale, self.zero_point(),
            self.one_of(ACTIVATIONS), zero,
        )  # fmt: skip
        self.added(y, x)
        return y

    def view(self) -> None:
        """A RESHAPE: rows and columns, or pixels and channels, of other numbers."""
        x = self.pick()
        size = int(np.prod(self.shape(x)))
        channels = self.one_of([n for n in range(1, min(size, 24) + 1) if size % n == 0])
        pixels = size // channels
        height = self.one_of([n for n in range(1, pixels + 1) if pixels % n == 0])
        y = self.writer.reshape(x, (1, height, pixels // height, channels))
        self.added(y, x)
        if x in self.renamed:
            self.renamed.add(y)

    def every_pixel(self) -> None:
        """A fully connected layer over each pixel, and the map again."""
        x = self.pick(4)
        if x is None:
            return
        _, height, width, channels = self.shape(x)
        outputs = self.number(1, 12)
        if not self.affordable(height * width * channels * outputs):
            return
        weights, zero = self.weights((outputs, channels))
        scale, scales, bias = self.requantised(x, channels, outputs)
        flat = self.writer.reshape(x, (height * width, channels))
        y = self.writer.fully_connected(
            flat, weights, scales if np.ndim(scales) == 0 else float(scales[0]), bias, scale, self.zero_point(),
            self.one_of(ACTIVATIONS), zero,
        )  # fmt: skip
        self.added(self.writer.reshape(y, (1, height, width, outputs)), x)

    def add_tail(self) -> None:
        """What classifiers end with: a mean over the map, a reshape, fully connected layers, SOFTMAX, DEQUANTIZE."""
        x = self.pick(4)
        if x is None:
            return
        height, width = self.shape(x)[1:3]
        if self.chance(0.5):
            y = self.writer.mean(x, self.scale(), self.zero_point(), keep=self.chance(0.5))
        else:
            y = self.writer.average_pool(x, (height, width), self.one_of(((1, 1), (height, width))))
        self.added(y, x)
        for _ in range(int(self.rng.integers(0, 3))):
            found = self.fully_connected(y)
            if found is None:
                return
            y = found
        if self.chance(0.3) and len(self.shape(y)) == 2:
            end = self.writer.softmax(y) if self.chance(0.6) else self.writer.dequantize(y)
            self.read.add(y)
            self.writer.output(end)

    def join_ends(self) -> None:
        """Ends of one shape are often joined; those that remain are outputs."""
        ends = [t for t in self.tensors if t not in self.read and t not in self.given]
        while len(ends) > 1 and self.chance(0.7):
            a = ends.pop(0)
            same = [b for b in ends if self.shape(b) == self.shape(a)]
            if not same:
                ends.append(a)
                continue
            ends.remove(same[0])
            y = self.writer.add(a, same[0], self.scale(), self.zero_point())
            self.added(y, a, same[0])
            ends.append(y)
        read = [t for t in self.tensors if t in self.read and t not in self.given]
        ends += [self.one_of(read)] if read and self.chance(0.2) else []  # an output that is read, too
        for tensor in ends:
            self.writer.output(tensor)

    @property
    def valid(self) -> bool:
        """Whether every output is computed, from all inputs."""
        outputs = self.writer.outputs
        return bool(outputs) and not self.renamed & set(outputs) and all(tensor in self.read for tensor in self.given)

    def multipliers(self, stages: int) -> int:
        """A number of multipliers for so many stages that need one: the fewest, some, or more than can be used."""
        return max(1, self.one_of((stages, stages * self.number(1, 20), stages * self.number(1, 20), 3000)))

    def write(self, folder: Path) -> Path:
        path = folder / f"random_{self.seed}.tflite"
        self.writer.write(path)
        return path


def random_network(seed: int, work: int = 40_000) -> RandomNetwork:
    """The first network with something to compute that is drawn from the seed."""
    for attempt in range(100):
        network = RandomNetwork(seed * 100 + attempt, work)
        if network.valid:
            return network
    raise ValueError(f"nothing was drawn from seed {seed}")
