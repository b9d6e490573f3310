"""Random operators that read one tensor: windows, pools, paddings, fully connected layers."""

from __future__ import annotations

import numpy as np
from random_drawing import ACTIVATIONS, STRIDES, Drawing

from mbconv.training.tflite_writer import output_size


class DrawnMaps(Drawing):
    """Those that read one tensor and compute over its pixels or channels."""

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
        multipliers = 8 if channels == 1 else 3 if self.chance(0.3) else 1
        outputs = channels * self.number(1, multipliers)
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

    def transposed(self) -> None:
        """A TRANSPOSE_CONV to any size that has it."""
        x = self.pick(4)
        if x is None:
            return
        kernel, strides, padding = self.window(x)
        (height, width, ci), co = self.shape(x)[1:], self.number(1, 8)
        axes = list(zip((height, width), kernel, strides, strict=True))
        if padding == "SAME":
            size = [n * step - self.number(1, step) + 1 for n, _, step in axes]
        else:
            size = [(n - 1) * step + taps + self.number(1, step) - 1 for n, taps, step in axes]
        terms = kernel[0] * kernel[1] * ci
        if not self.affordable(size[0] * size[1] * terms * co):
            return
        weights, zero = self.weights((co, *kernel, ci))
        scale, scales, bias = self.requantised(x, terms, co)
        y = self.writer.transpose_convolution(
            x, weights, scales, None if self.chance(0.2) else bias, scale, self.zero_point(), strides, padding,
            self.one_of(ACTIVATIONS), zero, size=tuple(size),
        )  # fmt: skip
        self.added(y, x)

    def padded(self) -> None:
        """A PAD that anything may read, of channels too."""
        x = self.pick(4)
        if x is None:
            return
        sides = [int(self.rng.integers(0, 3)) for _ in range(4)]
        channels = self.one_of(((0, 0), (0, 0), (0, self.number(1, 6)), (self.number(1, 6), 0), (2, 1)))
        self.added(self.writer.pad(x, *sides, channels=channels), x)

    def resized(self) -> None:
        """Larger or smaller by whole factors."""
        x = self.pick(4)
        if x is None:
            return
        _, height, width, channels = self.shape(x)
        down, across = self.number(1, 3), self.number(1, 3)
        if not self.affordable(height * down * width * across * channels):
            return
        bilinear = not self.unsigned and self.chance(0.6)
        how = self.one_of(({}, {"align_corners": True}, {"half_pixel_centers": True}))
        if self.chance(0.2) and height % down == width % across == 0 and "align_corners" not in how:
            y = self.writer.resize(x, height // down, width // across, bilinear, **how)
        else:
            y = self.writer.resize(x, height * down, width * across, bilinear, **how)
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
