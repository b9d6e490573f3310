"""Random operators that join, part and rename tensors: sums, products, concatenations, slices, residuals, views."""

from __future__ import annotations

import numpy as np
from random_drawing import ACTIVATIONS, SPREAD
from random_maps import DrawnMaps

PAIRS = ("ADD", "SUB", "MUL", "MUL", "MAXIMUM", "MINIMUM")


def fits(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether a tensor can be repeated over another, of up to three axes besides the first."""
    return len(other) == len(shape) and all(b in (1, a) for a, b in zip(shape, other, strict=True))


class DrawnJoins(DrawnMaps):
    """Those that read several tensors, or make several."""

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

    def zero_moved(self) -> None:
        """ADD or SUB of a constant that leaves every integer as it is, under another zero point: a table that changes
        nothing, and is no copy."""
        x = self.pick()
        scale, zero = self.scale_of(x), self.zero_point_of(x)
        moved = self.one_of([point for point in range(self.low, self.high + 1) if point != zero])
        code = self.one_of(("ADD", "SUB"))
        # q' = q ± constant, counted from the zero points
        steps = moved - zero if code == "SUB" else zero - moved
        constant = int(self.rng.integers(max(self.low, self.low + steps), min(self.high, self.high + steps) + 1))
        first = code == "ADD" and self.chance(0.5)
        y = self.writer.constant_arithmetic(
            code, x, np.array([constant]), scale, constant - steps, scale, moved, constant_first=first
        )
        self.added(y, x)

    def table(self) -> None:
        x, w = self.pick(), self.writer
        kinds = ["RELU", "RELU6", "QUANTIZE"]
        if not self.unsigned:
            kinds += ["HARD_SWISH", "LEAKY_RELU", "TANH", "LOGISTIC", "PRELU", "RELU_N1_TO_1", "GELU", "ABS"]
        kind = self.one_of(kinds)
        scale, zero = self.scale(), self.zero_point()
        if kind == "QUANTIZE":
            y = w.quantize(x, scale, zero, "uint8" if self.unsigned else "int8")
        elif kind == "TANH":
            y = w.unary(kind, x, 1 / 128, 0)
        elif kind == "LOGISTIC":
            y = w.unary(kind, x, 1 / 256, -128)
        elif kind in ("HARD_SWISH", "GELU", "ABS"):
            y = w.unary(kind, x, scale, zero, "GeluOptions" if kind == "GELU" else "")
        elif kind == "LEAKY_RELU":
            y = w.unary(kind, x, scale, zero, "LeakyReluOptions", {"Alpha": float(self.rng.uniform(0, 0.9))})
        elif kind == "PRELU":
            slopes = self.rng.integers(-99, 99, (1,) * (len(self.shape(x)) - 2) + (self.shape(x)[-1],))
            y = w.prelu(x, slopes, 0.01, 2, scale, zero)
        else:
            y = w.rectify(x, kind, scale, zero)
        self.added(y, x)

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
