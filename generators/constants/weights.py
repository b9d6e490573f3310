"""Weights in the order in which a stage's multipliers want them, and memory words made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..graph.mac_operator import MacOperator
from ..operators.convolution import Convolution
from ..operators.depthwise_convolution import DepthwiseConvolution
from ..operators.fully_connected import FullyConnected
from ..planning.folding import Folding, ceil_div

if TYPE_CHECKING:
    from ..stages.network import Node


def effective_weights(node: Node) -> np.ndarray:
    """Weights less their zero point, as ``[output channel][reduction]`` int64, the reduction in the order of the data.

    Pointwise: input channels. Convolution: kernel taps in row-major order, the channels of each together. Depthwise:
        taps.
    """
    op = node.operator
    assert isinstance(op, MacOperator)
    weights = op.weights.astype(np.int64) - op.weight_zero_point
    if isinstance(op, (Convolution, FullyConnected)):
        return weights.reshape(weights.shape[0], -1)
    assert isinstance(op, DepthwiseConvolution)
    return weights.reshape(-1, weights.shape[-1]).T


def weight_bits(weights: np.ndarray) -> int:
    """The width of the narrowest signed integer that holds every weight."""
    low, high = int(weights.min(initial=0)), int(weights.max(initial=0))
    return max(2, high.bit_length() + 1, (-low - 1).bit_length() + 1 if low < 0 else 0)


def folded_weights(weights: np.ndarray, folding: Folding) -> np.ndarray:
    """``[beat][output of the group][term]``: for each group of outputs, for each group of the reduction; 0 beyond the
    channels. Of several pixels the groups that they share, then those of one pixel alone, which the others have too."""
    if folding.pixels > 1:
        alone = replace(folding, pixels=1)
        rest = weights.shape[0] % folding.outputs
        shared = np.concatenate([weights[:rest]] * folding.pixels)
        return np.concatenate([folded_weights(shared, alone), folded_weights(weights[rest:], alone)])
    channels, reduction = weights.shape
    groups, words = ceil_div(channels, folding.outputs), ceil_div(reduction, folding.inputs)
    padded = np.zeros((groups * folding.outputs, words * folding.inputs), np.int64)
    padded[:channels, :reduction] = weights
    beats = padded.reshape(groups, folding.outputs, words, folding.inputs).transpose(0, 2, 1, 3)
    return beats.reshape(groups * words, folding.outputs, folding.inputs)


def folded_words(channels: int, reduction: int, folding: Folding) -> int:
    """How many beats :func:`folded_weights` makes of so many channels."""
    rest = channels % folding.outputs if folding.pixels > 1 else 0
    groups = ceil_div(rest * folding.pixels, folding.outputs) + ceil_div(channels - rest, folding.outputs)
    return groups * ceil_div(reduction, folding.inputs)


class Words(Sequence[int]):
    """Memory words that are packed when the first of them is asked for: to plan, their number is enough.

    Args:
        count: how many ``pack`` makes.
    """

    def __init__(self, count: int, pack: Callable[[], list[int]]) -> None:
        self._count, self._pack = count, pack

    @cached_property
    def packed(self) -> list[int]:
        """All of them."""
        words = self._pack()
        assert len(words) == self._count
        return words

    def __reduce__(self) -> tuple:
        return list, (self.packed,)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place):
        return self.packed[place]

    def __iter__(self) -> Iterator[int]:
        return iter(self.packed)


def pack_words(values: np.ndarray, bits: int) -> list[int]:
    """Rows of integers as memory words: element 0 lowest, ``bits`` each in two's complement."""
    rows = values.reshape(values.shape[0], -1)
    if bits == 8:
        octets = (rows & 0xFF).astype(np.uint8)
    else:
        spread = (rows[:, :, None] >> np.arange(bits)) & 1
        octets = np.packbits(spread.reshape(rows.shape[0], -1).astype(np.uint8), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in octets]


def pack_records(records: Sequence[int], width: int, lanes: int) -> list[int]:
    """Records of ``width`` bits, ``lanes`` to a word, lane 0 lowest; the last word is filled with zeros."""
    return [
        sum(record << (lane * width) for lane, record in enumerate(records[start : start + lanes]))
        for start in range(0, len(records), lanes)
    ]
