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
from functools import cached_property
from math import prod
from typing import Any, ClassVar

import numpy as np

from .shown import Shown


class GraphError(ValueError):
    """A network that cannot be represented or used as asked; the message is meant for the user."""


@dataclass(frozen=True)
class Element:
    """The integer type of a tensor's elements: ``bits`` (2 to 64) and signedness.

    ``real`` marks the float32 that DEQUANTIZE hands to the host, the only elements that are no integers. More than 32
    bits have only the places that ARG_MAX hands to it.
    """

    bits: int
    signed: bool
    real: bool = False

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 64:
            raise GraphError(f"an element has 2 to 64 bits, not {self.bits}")

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
        size = next(size for size in (8, 16, 32, 64) if self.bits <= size)
        return np.dtype(f"{'int' if self.signed else 'uint'}{size}")

    def __str__(self) -> str:
        return f"{'float' if self.real else 'int' if self.signed else 'uint'}{self.bits}"


INT8 = Element(8, True)
UINT8 = Element(8, False)
FLOAT32 = Element(32, True, real=True)
INT32 = Element(32, True)
INT64 = Element(64, True)


@dataclass(frozen=True)
class Tensor:
    """A tensor that an operator computes, or an input: NHWC with N = 1, or of any rank with the channels last.

    One that is not ``in_file`` lies between two operators that one of the file's became.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    element: Element
    scale: float  # the float32 of the file, exactly
    zero_point: int
    in_file: bool = True

    # Whatever the rank, the last axis holds the channels and those before it, in raster order, the pixels.

    @property
    def height(self) -> int:
        return prod(self.shape[:-2])

    @property
    def width(self) -> int:
        return self.shape[-2] if len(self.shape) > 1 else 1

    @property
    def channels(self) -> int:
        return self.shape[-1]

    @property
    def pixels(self) -> int:
        return self.height * self.width

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def quantization(self) -> tuple[Element, float, int]:
        return (self.element, self.scale, self.zero_point)


class Activation(Enum):
    """The activation fused into an operator, or, as RELU_0_TO_1, standing alone."""

    NONE = "none"
    RELU = "relu"
    RELU6 = "relu6"
    RELU_N1_TO_1 = "relu_n1_to_1"
    RELU_0_TO_1 = "relu_0_to_1"

    @property
    def in_fixed_point(self) -> bool:
        """Whether binary fixed point has it."""
        return self in (Activation.NONE, Activation.RELU, Activation.RELU6)


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

    def __add__(self, other: Padding) -> Padding:
        return Padding(
            self.top + other.top, self.bottom + other.bottom, self.left + other.left, self.right + other.right
        )


NO_PADDING = Padding()


class Placement(Enum):
    """Where an operator stands in a network, and who computes it there."""

    CIRCUIT = "in the circuit"
    PORT = "at an input, where it becomes the order of the port"
    HOST = "at the end, where the host computes it"


@dataclass(frozen=True)
class Window:
    """Rows and columns of a window, its steps, and the padding of the map that it slides over."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    padding: Padding


NO_WINDOW = Window((1, 1), (1, 1), NO_PADDING)


@dataclass(frozen=True, eq=False, repr=False)
class Operator(Shown):
    """What every operator has: the index in its file and the tensors it reads and writes.

    Each kind is a subclass in a file of its own (:mod:`mbconv.generators.operators`), which says all that is to be
    known of it. A subclass sets:

    Attributes:
        KIND: its name as users know it.
        BECOMES: circuit, wiring or the host, for the table of supported operators; "" where nothing computes it yet but
            the golden model.
        INPUTS: how many computed tensors it reads; None for one or more.
        OUTPUTS: how many tensors it writes; None for one or more.
        FIXED_POINT: whether it is defined in binary fixed point too.
        MIXES_ELEMENTS: whether it may read int8 and write uint8, or the reverse.
        READS, WRITES: the elements of its inputs and of its outputs, where these are not those: reals and indices, the
            host's.
        WEIGHTED: whether it multiplies weights; none does behind what the host computes.
        HOST_ADVICE: what to do where one stands before such an operator though the host is to compute it.
    """

    KIND: ClassVar[str]
    BECOMES: ClassVar[str] = ""
    INPUTS: ClassVar[int | None] = 1
    OUTPUTS: ClassVar[int | None] = 1
    FIXED_POINT: ClassVar[bool] = False
    MIXES_ELEMENTS: ClassVar[bool] = False
    READS: ClassVar[tuple[Element, ...]] = (INT8, UINT8)
    WRITES: ClassVar[tuple[Element, ...]] = ()
    WEIGHTED: ClassVar[bool] = False
    HOST_ADVICE: ClassVar[str] = ""

    index: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    numbers: str = field(default="affine", kw_only=True)

    def shown(self) -> dict[str, object]:
        return {"": f"{self.kind} {self.index}", "from": self.inputs, "to": self.outputs}

    @property
    def kind(self) -> str:
        """The operator's name as users know it."""
        return self.KIND

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        return 0

    def macs(self, tensors: Mapping[int, Tensor]) -> int:
        """Multiply-accumulate operations for one frame, padding counted as the kernel's own."""
        return 0

    @property
    def window(self) -> Window | None:
        """The window that it slides over its input; None where it has none."""
        return None

    def reads_whole_map(self, input_tensor: Tensor) -> bool:
        """Whether no output exists before the last pixel of the input has arrived."""
        return False

    def placement(self, graph: Graph) -> Placement:
        """Where it stands. Whatever reads what the host computes is the host's too."""
        return Placement.CIRCUIT

    def takes_padding(self, padding: Padding) -> bool:
        """Whether its circuit can pad its input by so much more than its own padding."""
        return False

    def lower(self, graph: Graph, padding: Padding):
        """What it becomes, a :data:`~mbconv.generators.graph.lowering.Lowering`, of several outputs a circuit for each;
        not asked of what the host computes.

        Args:
            padding: what a PAD before it adds to its own.

        Raises:
            GraphError: no circuit computes it; the message follows the operator's name.
        """
        raise GraphError("has no circuit yet")

    def closes_block(self, graph: Graph) -> bool:
        """Whether it ends a unit of a MobileNet, as :mod:`~mbconv.generators.graph.ranges` cuts them."""
        return False

    def written(self, tensors: Mapping[int, Tensor]) -> Any:
        """The tensor that it writes; a tuple of them where ``OUTPUTS`` is not one."""
        outputs = tuple(tensors[index] for index in self.outputs)
        return outputs[0] if self.OUTPUTS == 1 else outputs

    def problems(self, input_tensors: tuple[Tensor, ...], output: Any) -> list[str]:
        """What is wrong with shapes, parameters and scales, given valid tensors; phrases that follow its name.

        Args:
            output: what :meth:`written` gives.

        The limits of the arithmetic are those of TFLite's reference kernels: where they would abort or overflow, no
        result is defined, and the operator is refused.
        """
        raise NotImplementedError(f"{type(self).__name__} has no checks")


@dataclass(frozen=True, eq=False, repr=False)
class Graph(Shown):
    """A network, or a range of one: tensors by index, operators in execution order, tensor indices in and out.

    ``cuts`` are tensors that other operators of the network read, where this is a range of it: what writes them does
    not stand at its end.
    """

    name: str
    tensors: Mapping[int, Tensor]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    cuts: frozenset[int] = frozenset()

    def shown(self) -> dict[str, object]:
        ends = [" + ".join(str(self.tensors[t].shape) for t in tensors) for tensors in (self.inputs, self.outputs)]
        return {"of": self.name, "operators": len(self.operators), "from": ends[0], "to": ends[1]}

    def to_dict(self) -> dict[str, Any]:
        """Operators, shapes, MACs, parameters and memory: what ``mbconv info`` says."""
        from .analysis import described

        return described(self)

    def __iter__(self) -> Iterator[Operator]:
        return iter(self.operators)

    @cached_property
    def _producers(self) -> dict[int, Operator]:
        return {tensor: op for op in reversed(self.operators) for tensor in op.outputs}

    @cached_property
    def _consumers(self) -> dict[int, tuple[Operator, ...]]:
        found: dict[int, list[Operator]] = {}
        for op in self.operators:
            for tensor in dict.fromkeys(op.inputs):
                found.setdefault(tensor, []).append(op)
        return {tensor: tuple(readers) for tensor, readers in found.items()}

    def producer(self, tensor: int) -> Operator | None:
        """The operator that writes a tensor; None for an input."""
        return self._producers.get(tensor)

    def consumers(self, tensor: int) -> tuple[Operator, ...]:
        """The operators that read a tensor."""
        return self._consumers.get(tensor, ())

    @cached_property
    def host(self) -> tuple[Operator, ...]:
        """The operators that the host computes: those placed there, and all behind them."""
        tensors: set[int] = set()
        found = []
        for op in self.operators:
            if op.placement(self) is Placement.HOST or tensors.intersection(op.inputs):
                found.append(op)
                tensors.update(op.outputs)
        return tuple(found)

    @cached_property
    def _needed(self) -> set[int]:
        """Tensors from which an operator with weights is reached, or another part of the network."""
        needed = set(self.cuts)
        for op in reversed(self.operators):
            if op.WEIGHTED or needed.intersection(op.outputs):
                needed.update(op.inputs)
        return needed

    def at_end(self, operator: Operator) -> bool:
        """Whether no operator with weights stands behind an operator, in the whole network."""
        return not self._needed.intersection(operator.outputs)

    def macs(self, operator: Operator) -> int:
        """Multiply-accumulate operations that an operator needs for one frame, padding counted as the kernel's own."""
        return operator.macs(self.tensors)

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
        return self.part(inside, f"{self.name}_{first}_{last}")

    def part(self, operators: tuple[Operator, ...], name: str) -> Graph:
        """Some of the operators, in their order: what they read and do not write becomes inputs, what they write and
        others read (or is an output) becomes outputs."""
        inside = {op.index for op in operators}
        written = {t for op in operators for t in op.outputs}
        used = written | {t for op in operators for t in op.inputs}
        elsewhere = {t for op in self.operators if op.index not in inside for t in op.inputs}
        inputs = tuple(dict.fromkeys(t for op in operators for t in op.inputs if t not in written))
        outputs = tuple(t for op in operators for t in op.outputs if t in elsewhere or t in self.outputs)
        return replace(
            self,
            name=name,
            tensors={i: t for i, t in self.tensors.items() if i in used},
            operators=operators,
            inputs=inputs,
            outputs=outputs,
            cuts=self.cuts & written | (written & elsewhere),
        )
