"""CONCATENATION of channels that begin within a word of the map memory: each map is padded to all channels, and the
padded ones are added.

Padding has the zero point, and of maps of one scale ADD's multipliers are powers of two, so that a sum with zero is the
element itself.
"""

from __future__ import annotations

from itertools import accumulate

from ..graph.graph import Operator, Tensor
from ..operators.add import Add
from ..operators.concatenation import Concatenation
from ..operators.pad import Pad
from .rewriting import Rewriting


class Joins(Rewriting):
    """No CONCATENATION by channels in which another input than the last has no multiple of ``channels``."""

    def rewritten(self, op: Operator) -> Operator:
        if not isinstance(op, Concatenation) or not self._within_words(op):
            return op
        output, first = self.tensors[op.outputs[0]], 0
        padded = []
        for tensor in (self.tensors[index] for index in op.inputs):
            padded.append(self._padded(op, tensor, first, output))
            first += tensor.channels
        total = padded[0]
        for other in padded[1:-1]:
            made = self.tensor(output, "joined", output.shape)
            self.operators.append(Add(self.next_index(), (total, other), (made.index,), numbers=op.numbers))
            total = made.index
        return Add(op.index, (total, padded[-1]), op.outputs, numbers=op.numbers)

    def _within_words(self, op: Concatenation) -> bool:
        output = self.tensors[op.outputs[0]]
        inputs = [self.tensors[tensor] for tensor in op.inputs]
        return (
            len(inputs) > 1
            and len(output.shape) == 4
            and op.axis == 3
            and all(tensor.quantization == output.quantization for tensor in inputs)
            and any(first % self.parameters.channels for first in accumulate(tensor.channels for tensor in inputs[:-1]))
        )

    def _padded(self, op: Operator, tensor: Tensor, first: int, output: Tensor) -> int:
        """A map with its channels behind the first ones of all."""
        made = self.tensor(tensor, "padded", output.shape)
        channels = first, output.channels - first - tensor.channels
        self.operators.append(
            Pad(self.next_index(), (tensor.index,), (made.index,), channels=channels, numbers=op.numbers)
        )
        return made.index
