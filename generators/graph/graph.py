"""The graph: the one description of a quantised network that golden model and generator share.

A graph is a directed acyclic graph of operators over tensors, as in a TFLite file, with the file's own tensor and
operator indices. It holds integers and the scales they stand for; it knows shapes, operation counts and which tensors
live across a cut. It knows nothing of circuits and computes nothing: the golden model (``mbconv.sim``) interprets it
with the reference kernels' arithmetic, the generator lowers it with constants that it derives and proves itself.

Two number systems, told apart by :attr:`Operator.numbers`:

``affine``
    TFLite's: ``real = scale * (integer - zero_point)``, requantisation by TFLite's quantised multiplier.
``fixed``
    Binary fixed point: zero point 0, every scale a power of two, requantisation by a right shift that rounds half up
    and saturates to the element type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from math import prod

import numpy as np


class GraphError(ValueError):
    """A network that cannot be represented or used as asked; the message is meant for the user."""


@dataclass(frozen=True)
class Element:
    """The integer type of a tensor's elements: ``bits`` (2 to 32) and signedness.

    ``real`` marks the float32 that DEQUANTIZE hands to the host, the only elements that are no integers.
    """

    bits: int
    signed: bool
    real: bool = False

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 32:
            raise GraphError(f"an element has 2 to 32 bits, not {self.bits}")

    @property
    def minimum(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1

    @property
    def dtype(self) -> np.dtype:
        """The smallest numpy type that holds an element."""
        if self.real:
            return np.dtype(np.float32)
        size = 8 if self.bits <= 8 else 16 if self.bits <= 16 else 32
        return np.dtype(f"{'int' if self.signed else 'uint'}{size}")

    def __str__(self) -> str:
        return f"{'float' if self.real else 'int' if self.signed else 'uint'}{self.bits}"


INT8 = Element(8, True)
UINT8 = Element(8, False)
FLOAT32 = Element(32, True, real=True)


@dataclass(frozen=True)
class Tensor:
    """A tensor that an operator computes, or an input: NHWC (or N, C) with N = 1."""

    index: int
    name: str
    shape: tuple[int, ...]
    element: Element
    scale: float  # the float32 of the file, exactly
    zero_point: int

    @property
    def height(self) -> int:
        return self.shape[1] if len(self.shape) == 4 else 1

    @property
    def width(self) -> int:
        return self.shape[2] if len(self.shape) == 4 else 1

    @property
    def channels(self) -> int:
        return self.shape[-1]

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def quantization(self) -> tuple[Element, float, int]:
        return (self.element, self.scale, self.zero_point)


class Activation(Enum):
    """The activation fused into an operator."""

    NONE = "none"
    RELU = "relu"
    RELU6 = "relu6"


@dataclass(frozen=True)
class Padding:
    """Elements added at each side of a map, holding the input's zero point."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    @classmethod
    def same(cls, size: tuple[int, int], kernel: tuple[int, int], strides: tuple[int, int]) -> Padding:
        """TFLite's SAME for a map of ``size`` (height, width): ⌈size ÷ stride⌉ windows, the smaller half first."""
        sides = []
        for length, taps, stride in zip(size, kernel, strides, strict=True):
            total = max((-(-length // stride) - 1) * stride + taps - length, 0)
            sides += [total // 2, total - total // 2]
        return cls(*sides)

    def __str__(self) -> str:
        return f"{self.top},{self.bottom},{self.left},{self.right}"


@dataclass(frozen=True, eq=False)
class Operator:
    """What every operator has: the index in its file and the tensors it reads and writes."""

    index: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    numbers: str = field(default="affine", kw_only=True)

    @property
    def kind(self) -> str:
        """The operator's name as users know it."""
        return type(self).KIND  # type: ignore[attr-defined]

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        return 0


@dataclass(frozen=True, eq=False)
class MacOperator(Operator):
    """A convolution or fully connected operator: weights, one bias and one scale for each output channel.

    ``weights`` holds the file's integers (with ``weight_zero_point`` still in them), ``weight_scales`` one float32 or
    one for each output channel, ``bias`` one int32 for each output channel.
    """

    weights: np.ndarray
    weight_element: Element
    weight_zero_point: int
    weight_scales: np.ndarray
    bias: np.ndarray
    activation: Activation = Activation.NONE

    @property
    def parameters(self) -> int:
        return self.weights.size + self.bias.size

    @property
    def per_channel(self) -> bool:
        return self.weight_scales.size > 1


@dataclass(frozen=True, eq=False)
class Convolution(MacOperator):
    """CONV_2D; weights ``[Co][kh][kw][Ci]``."""

    KIND = "CONV_2D"
    strides: tuple[int, int] = (1, 1)
    padding: Padding = Padding()

    @property
    def kernel(self) -> tuple[int, int]:
        return self.weights.shape[1], self.weights.shape[2]

    @property
    def pointwise(self) -> bool:
        return self.kernel == (1, 1) and self.strides == (1, 1) and self.padding == Padding()


@dataclass(frozen=True, eq=False)
class DepthwiseConvolution(MacOperator):
    """DEPTHWISE_CONV_2D; weights ``[kh][kw][Co]``; output channel ``c·depth_multiplier + m`` reads input channel c."""

    KIND = "DEPTHWISE_CONV_2D"
    strides: tuple[int, int] = (1, 1)
    padding: Padding = Padding()
    depth_multiplier: int = 1

    @property
    def kernel(self) -> tuple[int, int]:
        return self.weights.shape[0], self.weights.shape[1]


@dataclass(frozen=True, eq=False)
class FullyConnected(MacOperator):
    """FULLY_CONNECTED; weights ``[Co][Ci]``; a 4-D input is read as one vector in NHWC order."""

    KIND = "FULLY_CONNECTED"


@dataclass(frozen=True, eq=False)
class Add(Operator):
    """ADD of two computed tensors of equal shape: the residual's join."""

    KIND = "ADD"
    activation: Activation = Activation.NONE


@dataclass(frozen=True, eq=False)
class ConstantArithmetic(Operator):
    """MUL, SUB or ADD of a tensor and a constant that is one number or one for each channel."""

    operation: str  # "MUL", "SUB" or "ADD"
    constant: np.ndarray  # the file's integers, shape () or (C,)
    constant_element: Element
    constant_scale: float
    constant_zero_point: int
    constant_first: bool  # the constant is the left operand (matters for SUB)
    activation: Activation = Activation.NONE

    @property
    def kind(self) -> str:
        return self.operation

    @property
    def parameters(self) -> int:
        return self.constant.size


@dataclass(frozen=True, eq=False)
class AveragePool(Operator):
    """AVERAGE_POOL_2D; windows at the border average their valid elements only."""

    KIND = "AVERAGE_POOL_2D"
    kernel: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    padding: Padding = Padding()
    activation: Activation = Activation.NONE


@dataclass(frozen=True, eq=False)
class Mean(Operator):
    """MEAN over height and width."""

    KIND = "MEAN"


@dataclass(frozen=True, eq=False)
class Pad(Operator):
    """PAD of height and width with the zero point."""

    KIND = "PAD"
    padding: Padding = Padding()


@dataclass(frozen=True, eq=False)
class Reshape(Operator):
    """RESHAPE: the same elements in the same order."""

    KIND = "RESHAPE"


@dataclass(frozen=True, eq=False)
class Transpose(Operator):
    """TRANSPOSE by ``permutation``; accepted at the input only, where it becomes the port's order."""

    KIND = "TRANSPOSE"
    permutation: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Rectify(Operator):
    """RELU or RELU6 standing alone."""

    activation: Activation = Activation.RELU

    @property
    def kind(self) -> str:
        return self.activation.name


@dataclass(frozen=True, eq=False)
class Quantize(Operator):
    """QUANTIZE of one integer type and scale to another."""

    KIND = "QUANTIZE"


@dataclass(frozen=True, eq=False)
class Dequantize(Operator):
    """DEQUANTIZE at the output: real numbers, computed by the host."""

    KIND = "DEQUANTIZE"


@dataclass(frozen=True, eq=False)
class Softmax(Operator):
    """SOFTMAX over the last axis, computed by the host."""

    KIND = "SOFTMAX"
    beta: float = 1.0


@dataclass(frozen=True, eq=False)
class Graph:
    """A network, or a range of one: tensors by index, operators in execution order, tensor indices in and out."""

    name: str
    tensors: Mapping[int, Tensor]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def __iter__(self) -> Iterator[Operator]:
        return iter(self.operators)

    def producer(self, tensor: int) -> Operator | None:
        """The operator that writes a tensor; None for an input."""
        return next((op for op in self.operators if tensor in op.outputs), None)

    def consumers(self, tensor: int) -> tuple[Operator, ...]:
        return tuple(op for op in self.operators if tensor in op.inputs)

    def macs(self, operator: Operator) -> int:
        """Multiply-accumulate operations that an operator needs for one frame, padding counted as the kernel's own."""
        if not isinstance(operator, MacOperator):
            return 0
        output = self.tensors[operator.outputs[0]]
        if isinstance(operator, DepthwiseConvolution):
            return output.size * prod(operator.kernel)
        return output.size * (operator.weights.size // output.channels)

    @property
    def total_macs(self) -> int:
        return sum(self.macs(op) for op in self.operators)

    def layers(self, first: int, last: int) -> Graph:
        """The operators with file indices in ``first:last`` (half open).

        Tensors that the range reads but does not write become inputs, tensors that it writes and that are read after
        it (or are the network's outputs) become outputs: a range that cuts a residual has one input or output per live
        tensor.

        Raises:
            GraphError: the range is empty or outside the file.
        """
        end = max(op.index for op in self.operators) + 1
        if not 0 <= first < last <= end:
            raise GraphError(f"layers {first}:{last} are not a range of this network; it has operators 0:{end}")
        inside = tuple(op for op in self.operators if first <= op.index < last)
        if not inside:
            raise GraphError(f"layers {first}:{last} hold no operator of this network")
        written = {t for op in inside for t in op.outputs}
        read = {t for op in inside for t in op.inputs}
        later = {t for op in self.operators if op.index >= last for t in op.inputs}
        inputs = tuple(dict.fromkeys(t for op in inside for t in op.inputs if t not in written))
        outputs = tuple(t for op in inside for t in op.outputs if t in later or t in self.outputs)
        used = written | read
        return replace(
            self,
            name=f"{self.name}_{first}_{last}",
            tensors={i: t for i, t in self.tensors.items() if i in used},
            operators=inside,
            inputs=inputs,
            outputs=outputs,
        )
