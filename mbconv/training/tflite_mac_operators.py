"""Operators of weights: convolutions and fully connected layers, with their constant tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .tflite_builder import TfliteBuilder, output_size


class MacOperators(TfliteBuilder):
    """CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED for :class:`.tflite_writer.TfliteWriter`.

    Weights have one scale or one for each output channel, biases those times the input's; weights of uint8 belong to
    an input of uint8.
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
