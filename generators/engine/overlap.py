"""Two frames at once: a frame's last layers among the next one's first, so that loads run while others compute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

from mbconv.hdl.engine.instruction import Operation

from .layer import Layer
from .segments import Piece


class Part(IntEnum):
    """What is executed from a frame's beginning, or an END, to the next END, in the order of the memory outside.

    ``EARLY``: a frame's first instructions alone, where none is under way. ``BOTH``: these of a frame and the late ones
    of the frame before. ``LATE``: the late ones alone, where no frame follows. A program without late ones is all
    ``EARLY``.
    """

    EARLY = 0
    BOTH = 1
    LATE = 2


@dataclass(frozen=True)
class Work:
    """A piece with its cycles, if it waits for nothing, and the words of weights that come for it."""

    piece: Piece
    cycles: int
    words: int


def cuts(layers: Sequence[Layer], ends: Iterable[int]) -> list[int]:
    """Where a network may be cut: numbers of layers, the first late ones; ``ends``: those between segments. A program
    begins with its first INPUT, so that this may not overwrite what late layers read."""
    first = max(number for number, layer in enumerate(layers) if not layer.reads) + 1
    last = min(number for number, layer in enumerate(layers) if layer.values["operation"] == Operation.OUTPUT)
    kept = {layer.name for layer in layers if layer.kept}

    def apart(number: int) -> bool:
        """What is computed for a layer's weights is not computed with it, or one map is written by several layers."""
        same_map = layers[number].part is not None and layers[number].writes == layers[number - 1].writes
        return same_map or (layers[number].name in kept and layers[number].name == layers[number - 1].name)

    return [
        number
        for number in ends
        if first < number <= last and not apart(number) and layers[0].writes not in crossing(layers, number)
    ]


def crossing(layers: Sequence[Layer], cut: int) -> frozenset[int]:
    """Tensors that early layers write and late ones read."""
    written = {layer.writes for layer in layers[:cut]}
    return frozenset(tensor for layer in layers[cut:] for tensor in layer.reads if tensor in written)


@dataclass(frozen=True)
class Merged:
    """Both frames' pieces in one order.

    Attributes:
        order: each with whether it is late.
        cycles: roughly, with what is waited for.
    """

    order: tuple[tuple[Piece, bool], ...]
    cycles: int


def merge(early: Sequence[Work], late: Sequence[Work], guard: int, room: int, word_cycles: Fraction | float) -> Merged:
    """Late pieces where their weights are there, early ones while these are fetched: so the memory is read without a
    pause as long as the ring has room.

    Args:
        guard: the first of the early pieces that overwrites what late ones read.
        room: words of the ring; word_cycles: in which one comes.
    """
    order: list[tuple[Piece, bool]] = []
    now = loaded = 0.0
    used, word_cycles = 0, float(word_cycles)
    places = {False: 0, True: 0}
    while places[False] < len(early) or places[True] < len(late):
        waiting = places[True] < len(late)
        following = waiting and (
            places[False] == len(early)
            or (waiting and places[False] >= guard)
            or (order and loaded - used >= late[places[True]].words)
        )
        work = (late if following else early)[places[bool(following)]]
        places[bool(following)] += 1
        cycles = max(work.cycles, (used + work.words - loaded) * word_cycles)
        now += cycles
        used += work.words
        loaded = min(loaded + cycles / word_cycles, used + room)
        order.append((work.piece, bool(following)))
    return Merged(tuple(order), int(now))
