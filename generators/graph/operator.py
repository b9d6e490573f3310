"""What every operator of a graph has, and what its kind says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from .elements import INT8, UINT8, Element, Tensor
from .graph_error import GraphError
from .shown import Shown
from .windows import Padding, Window

if TYPE_CHECKING:
    from .graph import Graph


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


class Placement(Enum):
    """Where an operator stands in a network, and who computes it there."""

    CIRCUIT = "in the circuit"
    PORT = "at an input, where it becomes the order of the port"
    HOST = "at the end, where the host computes it"


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
