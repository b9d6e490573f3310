"""Where maps lie in the engine's memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..graph.graph import GraphError, Tensor
from .folding import Folding


@dataclass(frozen=True)
class StoredMap:
    """A tensor in the map memory: pixel after pixel in raster order, the channels of a pixel in words of their own.

    Elements are int8; those of uint8 are stored less 128.

    Attributes:
        pitch: words from a row to the next; 0: as many as its pixels have.
        folding: a word holds all columns of a window instead.
        meant: the tensor as which all readers understand the same bytes; None: as ``tensor``.
    """

    tensor: Tensor
    channels_of_word: int
    pitch: int = 0
    folding: Folding | None = None
    meant: Tensor | None = None

    @property
    def words_of_pixel(self) -> int:
        return 1 if self.folding else -(-self.tensor.channels // self.channels_of_word)

    @property
    def row_words(self) -> int:
        """Of a row, without what lies between it and the next."""
        return (self.folding.windows if self.folding else self.tensor.width) * self.words_of_pixel

    @property
    def step(self) -> int:
        """Words from a row to the next."""
        return self.pitch or self.row_words

    @property
    def dense(self) -> bool:
        """Nothing lies between its rows."""
        return self.step == self.row_words

    @property
    def words(self) -> int:
        return (self.tensor.height - 1) * self.step + self.row_words

    @property
    def offset(self) -> int:
        """What is taken from an element when it is stored."""
        return 0 if self.tensor.element.signed else 128

    @property
    def zero_point(self) -> int:
        """The byte that stands for zero."""
        tensor = self.meant or self.tensor
        return tensor.zero_point - (0 if tensor.element.signed else 128)


@dataclass(frozen=True)
class Area:
    """What a map takes of the memory.

    Attributes:
        ring: words of a ring that holds its latest rows, a power of two; 0: it is none.
        starts_over: the rows of every step lie where those of the step before lay.
    """

    words: int
    ring: int = 0
    starts_over: bool = False


_TRIES = 24
"""Orders that are tried where the first one does not fit."""


def place(
    lifetimes: Mapping[int, tuple[Area, int, int]], words: int, names: Mapping[int, str], channels: int, below: int = 0
) -> dict[int, int]:
    """An address for each tensor: the lowest that is free for as long as it is needed, the largest areas first; rings
    at multiples of their size. Where one ends beyond the memory it is placed before all others, a few times.

    Args:
        lifetimes: by tensor its area, the first and the last time at which it is needed.
        words: of the memory, of so many ``channels``.
        names: of the times, for the message.
        below: words at the memory's beginning that have another use.

    Raises:
        GraphError: they do not fit; the message names what needs most, and how much.
    """
    order = sorted(lifetimes, key=lambda tensor: (-lifetimes[tensor][0].words, lifetimes[tensor][1]))
    found, last = _placed(lifetimes, order, below)
    tried, end = found, last
    for _ in range(_TRIES):
        if end <= words:
            found, last = tried, end
            break
        beyond = next(tensor for tensor in order if tried[tensor] + lifetimes[tensor][0].words > words)
        order = [beyond, *(tensor for tensor in order if tensor != beyond)]
        tried, end = _placed(lifetimes, order, below)
    if last > words:
        live = {
            time: below + sum(area.words for area, begin, end in lifetimes.values() if begin <= time <= end)
            for time in names
        }
        worst = max(live, key=lambda time: live[time])
        raise GraphError(
            f"the maps need {last:,} words of {channels} channels ({last * channels:,} bytes), the engine has "
            f"map_words = {words:,} ({words * channels:,} bytes); most are needed by {names[worst]}, whose maps and "
            f"those kept beside them take {live[worst]:,} words"
        )
    return found


def _placed(
    lifetimes: Mapping[int, tuple[Area, int, int]], order: Sequence[int], below: int
) -> tuple[dict[int, int], int]:
    """Addresses, given in an order, each the lowest that is free; and the end of the last area."""
    placed: list[tuple[int, int, int, int]] = []  # address, end, first time, last time
    found: dict[int, int] = {}
    for tensor in order:
        area, begin, end = lifetimes[tensor]
        align = area.ring or 1
        address = -(-below // align) * align
        for other, other_end, other_begin, other_last in sorted(placed):
            apart = other_last < begin or end < other_begin
            if not apart and other < address + area.words:
                address = max(address, -(-other_end // align) * align)
        placed.append((address, address + area.words, begin, end))
        found[tensor] = address
    return found, max((end for _, end, _, _ in placed), default=0)
