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

import numpy as np

from .tflite_builder import ACTIVATIONS, PADDINGS, output_size
from .tflite_mac_operators import MacOperators
from .tflite_map_operators import MapOperators

__all__ = ["ACTIVATIONS", "PADDINGS", "TfliteWriter", "output_size"]
_ARITHMETIC = ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM")


class TfliteWriter(MacOperators, MapOperators):
    """A network under construction.

    Tensors are NHWC. Where an operator leaves shapes unchanged and its arithmetic asks for equal quantisation
    (RESHAPE, PAD, pooling), the output takes the input's scale and zero point unless others are given.

    Args:
        name: the subgraph's name.
        description: stored in the file.
    """

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
