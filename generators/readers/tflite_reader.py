"""What reads an operator of a ``.tflite`` file is given: its inputs by position, its constants, its options.

Each operator's own file reads it (:mod:`mbconv.generators.operators`) and raises :class:`Unsupported` with a phrase
that follows the operator's name; whether shapes and scales agree is left to the operator's checks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from ..graph.checks import tensor_problems
from ..graph.graph import FLOAT32, INT8, INT32, INT64, UINT8, Activation, Operator, Padding, Tensor
from .tflite_content import Damaged, FileContent, FileOperator, FileTensor

ELEMENTS = {"INT8": INT8, "UINT8": UINT8}
INDICES = {"INT32": INT32, "INT64": INT64}

_ACTIVATIONS = {0: Activation.NONE, 1: Activation.RELU, 2: Activation.RELU_N1_TO_1, 3: Activation.RELU6}
_OTHER_ACTIVATIONS = {4: "TANH", 5: "SIGN_BIT"}


MOST_PLACES = 8  # of a dilated kernel, for each weight


class Unsupported(Exception):
    """Why an operator cannot be used."""


@dataclass(frozen=True)
class TfliteForm:
    """How an operator stands in a ``.tflite`` file: its code, the name of its options table, and its reader, which may
    make several operators of it, in order, with the index of the one."""

    code: str
    options: str
    read: Callable[[Reader], Operator | tuple[Operator, ...]]


class Tensors:
    """The graph's tensors, made from the file's when an operator asks for them."""

    def __init__(self, content: FileContent) -> None:
        self.content = content
        self.producers = {t: op for op in content.operators for t in op.outputs}
        self.made: dict[int, Tensor] = {}

    def computed(self, index: int, real: bool = False) -> Tensor:
        """A tensor of activations.

        Args:
            real: whether it may hold the real numbers that the host computes.

        Raises:
            Unsupported: it is a constant, has another type, or its shape or quantisation is wrong.
        """
        if index not in self.made:
            self.made[index] = self._make(self.content.tensors[index])
        tensor = self.made[index]
        if tensor.element not in ELEMENTS.values() and not (real and tensor.element.real):
            producer = self.producers[index].code
            raise Unsupported(
                f"uses {self.content.tensors[index]}, which a {producer} writes; that is supported at the output only"
            )
        return tensor

    def _make(self, tensor: FileTensor) -> Tensor:
        if tensor.constant:
            raise Unsupported(
                f"uses the constant {tensor} where a computed tensor is needed; fold constants by converting again"
            )
        if tensor.special:
            raise Unsupported(f"uses {tensor}, which {tensor.special}")
        if tensor.type not in ELEMENTS:
            raise Unsupported(f"uses {tensor} of type {tensor.type.lower()}; int8 and uint8 are supported")
        if tensor.dynamic:
            raise Unsupported(f"uses {tensor}, whose size the file leaves open; convert with a fixed input shape")
        if tensor.scales.size != 1 or tensor.zero_points.size > 1:
            found = "no scale" if not tensor.scales.size else f"{tensor.scales.size} scales"
            raise Unsupported(f"uses {tensor} with {found}; a computed tensor has one scale and one zero point")
        zero_point = int(tensor.zero_points[0]) if tensor.zero_points.size else 0
        element = ELEMENTS[tensor.type]
        made = Tensor(tensor.index, tensor.name, tensor.shape, element, float(tensor.scales[0]), zero_point)
        for problem in tensor_problems(made):
            raise Unsupported(f"uses {tensor}, which {problem}")
        return made

    def add(self, name: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """A tensor between two operators that one of the file's became, quantised as another.

        Raises:
            Unsupported: its shape is wrong.
        """
        index = max(len(self.content.tensors), *(1 + known for known in self.made))
        made = replace(like, index=index, name=name, shape=shape, in_file=False)
        for problem in tensor_problems(made):
            raise Unsupported(f"uses {name}, which {problem}")
        self.made[index] = made
        return made

    def index(self, index: int) -> Tensor:
        """A tensor of places, int32 or int64, of the host's."""
        tensor = self.content.tensors[index]
        if tensor.type not in INDICES:
            raise Unsupported(f"writes {tensor} of type {tensor.type.lower()}; int32 and int64 are supported")
        made = Tensor(index, tensor.name, tensor.shape, INDICES[tensor.type], 1.0, 0)
        for problem in tensor_problems(made):
            raise Unsupported(f"writes {tensor}, which {problem}")
        return self.made.setdefault(index, made)

    def real(self, index: int, shape: tuple[int, ...] | None = None) -> Tensor:
        """A float32 tensor of the host's, of a shape that the file may leave open."""
        tensor = self.content.tensors[index]
        if tensor.type != "FLOAT32":
            raise Unsupported(f"writes {tensor} of type {tensor.type.lower()}; float32 is supported")
        made = Tensor(index, tensor.name, tensor.shape if shape is None else shape, FLOAT32, 1.0, 0)
        for problem in tensor_problems(made):
            raise Unsupported(f"writes {tensor}, which {problem}")
        return self.made.setdefault(index, made)


class Reader:
    """One operator being read: its inputs by position, its constants, its options."""

    def __init__(self, operator: FileOperator, tensors: Tensors) -> None:
        self.operator = operator
        self.tensors = tensors

    def input_tensor(self, position: int) -> FileTensor | None:
        """The file's tensor at a position of the inputs; None where it is left out."""
        inputs = self.operator.inputs
        if position >= len(inputs) or inputs[position] < 0:
            return None
        return self.tensors.content.tensors[inputs[position]]

    def needed(self, position: int, what: str) -> FileTensor:
        tensor = self.input_tensor(position)
        if tensor is None:
            raise Unsupported(f"lacks its {what} (input {position})")
        return tensor

    def computed(self, position: int = 0, real: bool = False) -> Tensor:
        return self.tensors.computed(self.needed(position, "input").index, real)

    def output(self) -> Tensor:
        return self.tensors.computed(self.output_index())

    def output_index(self) -> int:
        if len(self.operator.outputs) != 1:
            raise Unsupported(f"writes {len(self.operator.outputs)} tensors, not one")
        return self.operator.outputs[0]

    def any_constant(self) -> bool:
        """Whether one of two operands is a constant."""
        self.check_inputs(2, 2)
        return any(self.needed(position, "operand").constant for position in (0, 1))

    def check_inputs(self, least: int, most: int) -> None:
        if not least <= len(self.operator.inputs) <= most:
            count = f"{least}" if least == most else f"{least} to {most}"
            raise Unsupported(f"reads {len(self.operator.inputs)} tensors, not {count}")

    def constant(self, position: int, what: str, types: tuple[str, ...]) -> np.ndarray:
        """A constant's elements."""
        tensor = self.needed(position, what)
        producer = self.tensors.producers.get(tensor.index)
        if producer is not None:
            raise Unsupported(
                f"takes its {what} from {producer}; only constants are supported, and what can be computed from them: "
                "convert with a fixed input shape and full-integer quantisation"
            )
        if tensor.special:
            raise Unsupported(f"has {what} ({tensor}) that {tensor.special}")
        if not tensor.constant:
            raise Unsupported(f"has {what} ({tensor}) without data; only constants stored in the file are supported")
        if tensor.type not in types:
            expected = " or ".join(name.lower() for name in types)
            raise Unsupported(f"has {what} ({tensor}) of type {tensor.type.lower()}; {expected} is supported")
        try:
            return tensor.array()
        except Damaged as error:
            raise Unsupported(f"is damaged: {error}") from None

    def real_constant(self, position: int, what: str) -> np.ndarray:
        """A constant's real numbers, float32, as the reference kernels dequantise them where they are uint8."""
        values = self.constant(position, what, ("FLOAT32", "UINT8"))
        tensor = self.needed(position, what)
        if tensor.type == "FLOAT32":
            return values
        if tensor.scales.size != 1 or tensor.zero_points.size > 1:
            raise Unsupported(f"has {what} ({tensor}) with {tensor.scales.size} scales; one is supported")
        zero_point = tensor.zero_points[0] if tensor.zero_points.size else 0
        return (values.astype(np.float32) - np.float32(zero_point)) * tensor.scales[0]

    @staticmethod
    def per_channel(values: np.ndarray) -> np.ndarray:
        """A constant that is one number as shape (), one that varies along the last axis only as (C,)."""
        if values.size == 1:
            return values.reshape(())
        return values.reshape(-1) if values.shape[-1] == values.size else values

    def option(self, name: str, default: int = 0) -> int:
        return self.operator.options.get(name, default)

    def activation(self) -> Activation:
        value = self.option("FusedActivationFunction")
        if value not in _ACTIVATIONS:
            name = _OTHER_ACTIVATIONS.get(value, f"number {value}")
            raise Unsupported(f"has the fused activation {name}; NONE, RELU, RELU6 and RELU_N1_TO_1 are supported")
        return _ACTIVATIONS[value]

    def strides(self) -> tuple[int, int]:
        strides = self.option("StrideH"), self.option("StrideW")
        if min(strides) < 1:
            raise Unsupported(f"has strides {strides[0]}×{strides[1]}; a stride is at least 1")
        return strides

    def pool_kernel(self) -> tuple[int, int]:
        kernel = self.option("FilterHeight"), self.option("FilterWidth")
        if min(kernel) < 1:
            raise Unsupported(f"has kernel {kernel[0]}×{kernel[1]}; a kernel is at least 1×1")
        return kernel

    def dilation(self, kernel: tuple[int, ...]) -> tuple[int, int]:
        """The steps between a kernel's weights, down and across."""
        dilation = self.option("DilationHFactor", 1), self.option("DilationWFactor", 1)
        named = f"has dilation {dilation[0]}×{dilation[1]}"
        if min(dilation) < 1:
            raise Unsupported(f"{named}; both are at least 1")
        places = prod((size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True))
        if places > MOST_PLACES * prod(kernel):
            raise Unsupported(
                f"{named}, which spreads {prod(kernel)} weights over {places:,} places; {MOST_PLACES} for each are "
                "supported, since each is a multiplication: train with less"
            )
        return dilation

    def padding(self, kernel: tuple[int, int], strides: tuple[int, int], input_tensor: Tensor | None = None) -> Padding:
        """The option SAME or VALID as explicit padding, of the first input where no other map is given."""
        option = self.option("Padding")
        if option not in (0, 1):
            raise Unsupported(f"has padding option {option}; 0 (SAME) and 1 (VALID) are known")
        input_tensor = self.computed() if input_tensor is None else input_tensor
        if option == 1 or len(input_tensor.shape) != 4:
            return Padding()
        return Padding.same((input_tensor.height, input_tensor.width), kernel, strides)

    def common(self, *inputs: Tensor) -> dict:
        """The fields that every operator has."""
        return {
            "index": self.operator.index,
            "inputs": tuple(t.index for t in inputs),
            "outputs": (self.output().index,),
        }
