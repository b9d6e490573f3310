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
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from .elements import FLOAT32, INT8, INT32, INT64, UINT8, Element, Tensor
from .graph_error import GraphError
from .operator import Activation, Operator, Placement
from .shown import Shown
from .windows import NO_PADDING, NO_WINDOW, Padding, Window

__all__ = [
    "FLOAT32",
    "INT8",
    "INT32",
    "INT64",
    "NO_PADDING",
    "NO_WINDOW",
    "UINT8",
    "Activation",
    "Element",
    "Graph",
    "GraphError",
    "Operator",
    "Padding",
    "Placement",
    "Tensor",
    "Window",
]
"""All that a graph is made of, under one name: parts of it stand in files of their own."""


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
