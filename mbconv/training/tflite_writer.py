"""Writer of quantised ``.tflite`` files, on the flatbuffer builders of the ``tflite`` package.

An operator's method takes the indices of the tensors it reads, makes the tensor it writes and returns its index, so a
network is written in the order in which it runs::

    writer = TfliteWriter("example")
    x = writer.input("picture", (1, 8, 8, 1), scale=1 / 16, zero_point=-128)
    x = writer.convolution(x, weights, weight_scales, bias, scale=1 / 32, zero_point=-128, activation="RELU6")
    writer.output(writer.mean(x))
    writer.write("example.tflite")

The writer checks shapes, not numbers: what an operator computes is decided by whoever reads the file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .tflite_builder import ACTIVATIONS, PADDINGS, output_size
from .tflite_map_operators import MapOperators

__all__ = ["ACTIVATIONS", "PADDINGS", "TfliteWriter", "output_size"]
_ARITHMETIC = ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM")


class TfliteWriter(MapOperators):
    """A network under construction.

    Tensors are NHWC. Where an operator leaves shapes unchanged and its arithmetic asks for equal quantisation
    (RESHAPE, PAD, pooling), the output takes the input's scale and zero point unless others are given.

    Args:
        name: the subgraph's name.
        description: stored in the file.
    """

    def _multiply_accumulate(
        self,
        code: str,
        x: int,
        weights: np.ndarray,
        weight_scales: float | np.ndarray,
        weight_zero_point: int,
        bias: np.ndarray | None,
        axis: int,
        shape: Sequence[int],
        scale: float,
        zero_point: int,
        options: str,
        fields: dict[str, int | float | bool],
        name: str,
    ) -> int:
        name = name or f"{code.lower()}_{len(self.operators)}"
        constants = self._weights(x, weights, weight_scales, weight_zero_point, bias, axis, name)
        return self.operator(code, [x, *constants], shape, scale, zero_point, options, fields, name)

    def _weights(
        self,
        x: int,
        weights: np.ndarray,
        weight_scales: float | np.ndarray,
        weight_zero_point: int,
        bias: np.ndarray | None,
        axis: int,
        name: str,
    ) -> list[int]:
        """Weights and, where there are any, biases."""
        source = self.tensors[x]
        scales = np.atleast_1d(np.asarray(weight_scales, np.float32))
        dtype = "uint8" if source.dtype == "uint8" else "int8"
        filters = self.tensor(f"{name}/weights", weights.shape, scales, weight_zero_point, dtype, weights, axis)
        if bias is None:
            return [filters]
        bias_scales = source.scales[0] * scales if source.scales.size else None
        bias = np.asarray(bias)
        return [filters, self.tensor(f"{name}/bias", bias.shape, bias_scales, 0, "int32", bias)]

    def convolution(
        self,
        x: int,
        weights: np.ndarray,
        weight_scales: float | np.ndarray,
        bias: np.ndarray | None,
        scale: float,
        zero_point: int,
        strides: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        weight_zero_point: int = 0,
        name: str = "",
    ) -> int:
        """CONV_2D; weights ``[Co][kh][kw][Ci]``, one scale or one for each output channel; LiteRT insists on a bias."""
        batch, height, width, channels = self.tensors[x].shape
        if weights.ndim != 4 or weights.shape[3] != channels:
            raise ValueError(f"convolution {name}: weights {weights.shape} do not fit {channels} input channels")
        fields = {
            "Padding": self.padding_code(padding),
            "StrideH": strides[0],
            "StrideW": strides[1],
            "FusedActivationFunction": self.activation_code(activation),
        }
        shape = (
            batch,
            output_size(height, weights.shape[1], strides[0], padding),
            output_size(width, weights.shape[2], strides[1], padding),
            weights.shape[0],
        )
        return self._multiply_accumulate(
            "CONV_2D",
            x,
            weights,
            weight_scales,
            weight_zero_point,
            bias,
            0,
            shape,
            scale,
            zero_point,
            "Conv2DOptions",
            fields,
            name,
        )

    def depthwise(
        self,
        x: int,
        weights: np.ndarray,
        weight_scales: float | np.ndarray,
        bias: np.ndarray | None,
        scale: float,
        zero_point: int,
        strides: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        weight_zero_point: int = 0,
        name: str = "",
    ) -> int:
        """DEPTHWISE_CONV_2D; weights ``[kh][kw][Co]``, Co a multiple of the input's channels (the depth multiplier)."""
        batch, height, width, channels = self.tensors[x].shape
        if weights.ndim != 3 or weights.shape[2] % channels:
            raise ValueError(f"depthwise {name}: weights {weights.shape} do not fit {channels} input channels")
        fields = {
            "Padding": self.padding_code(padding),
            "StrideH": strides[0],
            "StrideW": strides[1],
            "DepthMultiplier": weights.shape[2] // channels,
            "FusedActivationFunction": self.activation_code(activation),
        }
        shape = (
            batch,
            output_size(height, weights.shape[0], strides[0], padding),
            output_size(width, weights.shape[1], strides[1], padding),
            weights.shape[2],
        )
        return self._multiply_accumulate(
            "DEPTHWISE_CONV_2D",
            x,
            weights[np.newaxis],
            weight_scales,
            weight_zero_point,
            bias,
            3,
            shape,
            scale,
            zero_point,
            "DepthwiseConv2DOptions",
            fields,
            name,
        )

    def transpose_convolution(
        self,
        x: int,
        weights: np.ndarray,
        weight_scales: float | np.ndarray,
        bias: np.ndarray | None,
        scale: float,
        zero_point: int,
        strides: tuple[int, int] = (2, 2),
        padding: str = "SAME",
        activation: str = "NONE",
        weight_zero_point: int = 0,
        name: str = "",
        size: tuple[int, int] | None = None,
    ) -> int:
        """TRANSPOSE_CONV; weights ``[Co][kh][kw][Ci]``; ``size`` of the output, the largest of SAME and the smallest of
        VALID where not given."""
        batch, *known, channels = self.tensors[x].shape
        if weights.ndim != 4 or weights.shape[3] != channels:
            raise ValueError(f"transpose convolution {name}: weights {weights.shape} do not fit {channels} channels")
        name = name or f"transpose_conv_{len(self.operators)}"
        if size is None:
            axes = zip(known, weights.shape[1:3], strides, strict=True)
            same = padding == "SAME"
            height, width = (n * step if same else (n - 1) * step + taps for n, taps, step in axes)
        else:
            height, width = size
        shape = (batch, height, width, weights.shape[0])
        filters, *biases = self._weights(x, weights, weight_scales, weight_zero_point, bias, 0, name)
        fields = {
            "Padding": self.padding_code(padding),
            "StrideH": strides[0],
            "StrideW": strides[1],
            "FusedActivationFunction": self.activation_code(activation),
        }
        inputs = (self.integers("output_shape", shape), filters, x, *biases)
        dtype = self.tensors[x].dtype
        return self.operator(
            "TRANSPOSE_CONV", inputs, shape, scale, zero_point, "TransposeConvOptions", fields, name, dtype
        )

    def fully_connected(
        self,
        x: int,
        weights: np.ndarray,
        weight_scales: float | np.ndarray,
        bias: np.ndarray | None,
        scale: float,
        zero_point: int,
        activation: str = "NONE",
        weight_zero_point: int = 0,
        name: str = "",
        keep: bool = False,
    ) -> int:
        """FULLY_CONNECTED; weights ``[Co][Ci]``: every Ci elements are a vector, a map one of them or one each pixel.

        ``keep`` leaves all axes but the last as they are.
        """
        known = self.tensors[x].shape
        size = int(np.prod(known))
        if weights.ndim != 2 or size % weights.shape[1]:
            raise ValueError(f"fully connected {name}: weights {weights.shape} do not fit {size} inputs")
        shape = (*known[:-1], weights.shape[0]) if keep else (size // weights.shape[1], weights.shape[0])
        return self._multiply_accumulate(
            "FULLY_CONNECTED",
            x,
            weights,
            weight_scales,
            weight_zero_point,
            bias,
            0,
            shape,
            scale,
            zero_point,
            "FullyConnectedOptions",
            {"FusedActivationFunction": self.activation_code(activation), "KeepNumDims": keep},
            name,
        )

    def add(self, a: int, b: int, scale: float, zero_point: int, activation: str = "NONE", name: str = "") -> int:
        """ADD of two tensors, of which one may be repeated over the other."""
        return self.arithmetic("ADD", a, b, scale, zero_point, activation, name)

    def arithmetic(
        self, code: str, a: int, b: int, scale: float, zero_point: int, activation: str = "NONE", name: str = ""
    ) -> int:
        """ADD, SUB, MUL, MAXIMUM or MINIMUM of two tensors, of which one may be repeated over the other.

        Raises:
            ValueError: another operator, or shapes that do not fit.
        """
        if code not in _ARITHMETIC:
            raise ValueError(f"operator {code!r} is none of {', '.join(_ARITHMETIC)}")
        shapes = self.tensors[a].shape, self.tensors[b].shape
        try:
            shape = np.broadcast_shapes(*shapes)
        except ValueError:
            raise ValueError(f"{code.lower()} {name}: shapes {shapes[0]} and {shapes[1]} differ") from None
        fields = {"FusedActivationFunction": self.activation_code(activation)}
        if code in ("MAXIMUM", "MINIMUM"):
            return self.operator(code, (a, b), shape, scale, zero_point, "MaximumMinimumOptions", {}, name)
        return self.operator(code, (a, b), shape, scale, zero_point, f"{code.capitalize()}Options", fields, name)

    def constant_arithmetic(
        self,
        code: str,
        x: int,
        constant: np.ndarray,
        constant_scale: float,
        constant_zero_point: int,
        scale: float,
        zero_point: int,
        constant_first: bool = False,
        activation: str = "NONE",
        name: str = "",
    ) -> int:
        """MUL, SUB or ADD of a tensor and a constant that broadcasts to it."""
        if code not in ("MUL", "SUB", "ADD"):
            raise ValueError(f"operator {code!r} is none of MUL, SUB, ADD")
        constant = np.asarray(constant)
        known = self.tensors[x]
        other = self.tensor(
            f"constant_{len(self.operators)}",
            constant.shape,
            constant_scale,
            constant_zero_point,
            known.dtype,
            constant,
        )
        fields = {"FusedActivationFunction": self.activation_code(activation)}
        inputs = (other, x) if constant_first else (x, other)
        return self.operator(
            code, inputs, known.shape, scale, zero_point, f"{code.capitalize()}Options", fields, name, known.dtype
        )

    def rectify(
        self,
        x: int,
        activation: str,
        scale: float | None = None,
        zero_point: int | None = None,
        name: str = "",
    ) -> int:
        """RELU, RELU6 or RELU_N1_TO_1 standing alone."""
        if activation not in ACTIVATIONS[1:]:
            raise ValueError(f"activation {activation!r} is none of {', '.join(ACTIVATIONS[1:])}")
        return self.operator(activation, (x,), self.tensors[x].shape, scale, zero_point, name=name)

    def unary(
        self,
        code: str,
        x: int,
        scale: float | None = None,
        zero_point: int | None = None,
        options: str = "",
        fields: dict[str, int | float | bool] | None = None,
        name: str = "",
    ) -> int:
        """An operator of one tensor that keeps its shape: HARD_SWISH, LOGISTIC, TANH, LEAKY_RELU with ``Alpha`` …"""
        return self.operator(code, (x,), self.tensors[x].shape, scale, zero_point, options, fields, name)

    def prelu(
        self,
        x: int,
        slopes: np.ndarray,
        slope_scale: float,
        slope_zero_point: int,
        scale: float,
        zero_point: int,
        name: str = "",
    ) -> int:
        """PRELU by slopes that broadcast to the tensor."""
        known = self.tensors[x]
        slopes = np.asarray(slopes)
        place = f"slopes_{len(self.operators)}"
        other = self.tensor(place, slopes.shape, slope_scale, slope_zero_point, known.dtype, slopes)
        return self.operator("PRELU", (x, other), known.shape, scale, zero_point, name=name)

    def softmax(self, x: int, beta: float = 1.0, name: str = "") -> int:
        """SOFTMAX over the last axis, with the output scale 1/256 that its kernel demands."""
        zero = 0 if self.tensors[x].dtype == "uint8" else -128
        shape = self.tensors[x].shape
        return self.operator("SOFTMAX", (x,), shape, 1 / 256, zero, "SoftmaxOptions", {"Beta": beta}, name)

    def quantize(self, x: int, scale: float, zero_point: int, dtype: str = "int8", name: str = "") -> int:
        """QUANTIZE of real numbers, or of integers of another scale or type."""
        shape = self.tensors[x].shape
        return self.operator("QUANTIZE", (x,), shape, scale, zero_point, "QuantizeOptions", {}, name, dtype)

    def dequantize(self, x: int, name: str = "") -> int:
        """DEQUANTIZE to float32."""
        shape = self.tensors[x].shape
        return self.operator("DEQUANTIZE", (x,), shape, None, None, "DequantizeOptions", {}, name, "float32")
