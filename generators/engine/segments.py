"""Layers computed together where their maps do not fit otherwise, and where every map lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mbconv.hdl.engine.instruction import Operation

from ..graph.graph import GraphError
from .layer import Layer
from .layout import Area, place
from .ranges import reads_several_rows
from .segment import Maps, Piece, Segment

__all__ = ["Piece", "Placed", "Segment", "Stretch", "arrange"]


@dataclass(frozen=True)
class Placed:
    """Segments in order, and where every tensor lies."""

    segments: tuple[Segment, ...]
    areas: dict[int, Area]
    addresses: dict[int, int]
    words: int


@dataclass(frozen=True)
class Stretch:
    """Layers that are arranged apart from others.

    Attributes:
        first, end: of them.
        elsewhere: maps that they write and that have a place among those of others.
        below: words of the memory that others have.
    """

    first: int
    end: int
    elsewhere: frozenset[int] = frozenset()
    below: int = 0


def arrange(
    layers: Sequence[Layer],
    maps: Maps,
    words: int,
    cost: Callable[[Segment], int],
    ranges: bool,
    stretch: Stretch | None = None,
) -> Placed:
    """Segments whose maps fit the memory: whole layers where they do, else as few joined as it takes, each of as many
    rows a step as fit with the least cost; where none fit, as few layers of a row at a time as it takes.

    Args:
        words: of the map memory.
        cost: of a segment, cycles.
        ranges: the engine computes some rows of a map.
        stretch: of the layers that are arranged; all of them without.

    Raises:
        GraphError: they do not fit; the message names the layer that needs most.
    """
    stretch = stretch or Stretch(0, len(layers))
    segments = [Segment(layers, maps, number, number + 1) for number in range(stretch.first, stretch.end)]
    readers: dict[int, list[int]] = {}
    for number, layer in enumerate(layers):
        for tensor in layer.reads:
            readers.setdefault(tensor, []).append(number)
    while ranges:
        worst, live = _most(segments, layers, maps, stretch)
        if live <= words - stretch.below and _fits(segments, layers, maps, words, stretch):
            break
        joined = _joined(segments, readers, worst) or _finer(segments, worst)
        if joined is None:
            break
        segments = joined
    placed = _place(segments, layers, maps, words, stretch)
    if ranges:
        placed = _grown(placed, layers, maps, words, cost, stretch)
    return placed


def _lifetimes(
    segments: Sequence[Segment], layers: Sequence[Layer], maps: Maps, stretch: Stretch
) -> dict[int, tuple[Area, int, int]]:
    """By tensor its area, and the first and last segment that needs it; of one that other layers write, from the first
    segment on."""
    found: dict[int, tuple[Area, int, int]] = {}
    for time, segment in enumerate(segments):
        for tensor, area in segment.areas.items():
            found[tensor] = (area, time, time)
        for number in range(segment.first, segment.end):
            written = layers[number].writes
            if written is not None and written not in found:
                found[written] = (Area(maps(written).words), time, time)
            for tensor in layers[number].reads:
                area, begin, _ = found.get(tensor, (Area(maps(tensor).words), 0, 0))
                found[tensor] = (area, begin, time)
    return {tensor: found[tensor] for tensor in found if tensor not in stretch.elsewhere}


def _in_place(
    segments: Sequence[Segment], layers: Sequence[Layer], maps: Maps, lifetimes: dict[int, tuple[Area, int, int]]
) -> dict[int, int]:
    """By tensor that TABLE writes, an operand whose place it takes: a whole map that nothing reads later, nor in the
    same steps but row by row before it."""
    found: dict[int, int] = {}
    last = {tensor: number for number, layer in enumerate(layers) for tensor in layer.reads}
    for segment in segments:
        for number in range(segment.first, segment.end):
            layer = layers[number]
            if layer.values["operation"] != Operation.TABLE or layer.writes is None:
                continue
            written = maps(layer.writes)
            if layer.writes not in lifetimes:
                continue
            for tensor in (one for one in reversed(layer.reads) if one in lifetimes):
                stored, readers = maps(tensor), [n for n, other in enumerate(layers) if tensor in other.reads]
                early = [n for n in readers if n != number and segment.first <= n]
                row_by_row = not early or (early == [segment.first] and not reads_several_rows(layers[segment.first]))
                if (
                    last[tensor] == number
                    and row_by_row
                    and lifetimes[tensor][0] == lifetimes[layer.writes][0] == Area(written.words)
                    and (stored.words, stored.step, stored.row_words)
                    == (written.words, written.step, written.row_words)
                ):
                    found[layer.writes] = tensor
                    break
    return found


def _shared(
    segments: Sequence[Segment], layers: Sequence[Layer], maps: Maps, stretch: Stretch
) -> tuple[dict[int, tuple[Area, int, int]], dict[int, int]]:
    """Lifetimes of areas, and by tensor the one whose area it shares."""
    lifetimes = _lifetimes(segments, layers, maps, stretch)
    owners: dict[int, int] = {}
    for tensor, operand in _in_place(segments, layers, maps, lifetimes).items():
        owner = owners.get(operand, operand)
        owners[tensor] = owner
        area, begin, end = lifetimes[owner]
        lifetimes[owner] = (area, begin, max(end, lifetimes.pop(tensor)[2]))
    return lifetimes, owners


def _most(segments: Sequence[Segment], layers: Sequence[Layer], maps: Maps, stretch: Stretch) -> tuple[int, int]:
    """The segment during which most words are needed, and how many."""
    live = [0] * len(segments)
    for area, begin, end in _shared(segments, layers, maps, stretch)[0].values():
        for time in range(begin, end + 1):
            live[time] += area.words
    worst = max(range(len(live)), key=live.__getitem__)
    return worst, live[worst]


def _fits(segments: Sequence[Segment], layers: Sequence[Layer], maps: Maps, words: int, stretch: Stretch) -> bool:
    try:
        _place(segments, layers, maps, words, stretch)
    except GraphError:
        return False
    return True


def _place(segments: Sequence[Segment], layers: Sequence[Layer], maps: Maps, words: int, stretch: Stretch) -> Placed:
    lifetimes, owners = _shared(segments, layers, maps, stretch)
    names = {time: layers[segment.first].name for time, segment in enumerate(segments)}
    size = maps(next(iter(lifetimes))).channels_of_word if lifetimes else 1
    addresses = place(lifetimes, words, names, size, stretch.below)
    areas = {tensor: area for tensor, (area, _, _) in lifetimes.items()}
    end = max((addresses[tensor] + area.words for tensor, area in areas.items()), default=0)
    areas |= {tensor: areas[owner] for tensor, owner in owners.items()}
    addresses |= {tensor: addresses[owner] for tensor, owner in owners.items()}
    return Placed(tuple(segments), areas, addresses, end)


def _joined(segments: Sequence[Segment], readers: dict[int, list[int]], worst: int) -> list[Segment] | None:
    """The segments with two joined between which the largest map passes that is there in the ``worst`` one; None where
    there are no two."""
    best, at = 0, -1
    for time in (worst - 1, worst):
        if (
            0 <= time < len(segments) - 1
            and (tensor := _passes(segments[time], segments[time + 1], readers)) is not None
        ):
            words = segments[time].maps(tensor).words
            if words > best:
                best, at = words, time
    if at < 0:
        return None
    joined = replace(segments[at], end=segments[at + 1].end, rows=1)
    behind = at + 2
    # what follows row by row and is no larger takes nothing more, and its source is gone
    while behind < len(segments) and (tensor := _passes(joined, segments[behind], readers)) is not None:
        following = segments[behind]
        written = following.layers[following.end - 1].writes
        if following.rows or written is None or reads_several_rows(following.layers[following.first]):
            break
        if joined.maps(written).words > joined.maps(tensor).words:
            break
        joined = replace(joined, end=following.end)
        behind += 1
    return [*segments[:at], joined, *segments[behind:]]


def _finer(segments: list[Segment], worst: int) -> list[Segment] | None:
    """The segments with one more layer of the ``worst`` one computed a row at a time; None where all are."""
    segment = segments[worst]
    if not segment.rows or segment.single == segment.end - segment.first:
        return None
    return [*segments[:worst], replace(segment, single=segment.single + 1), *segments[worst + 1 :]]


def _passes(before: Segment, behind: Segment, readers: dict[int, list[int]]) -> int | None:
    """The map between two segments that may be joined."""
    layers = before.layers
    tensor, reader = layers[before.end - 1].writes, layers[behind.first]
    if tensor is None or readers.get(tensor) != [behind.first] or reader.reads[0] != tensor:
        return None
    if not (layers[before.end - 1].rows and layers[behind.end - 1].rows and reader.rows):
        return None
    return tensor


def _grown(
    placed: Placed,
    layers: Sequence[Layer],
    maps: Maps,
    words: int,
    cost: Callable[[Segment], int],
    stretch: Stretch,
) -> Placed:
    """The same segments with the rows a step that cost least, of those that fit."""
    for time, segment in enumerate(placed.segments):
        if not segment.rows:
            continue
        choices = [replace(segment, rows=rows) for rows in range(1, layers[segment.end - 1].rows + 1)]
        for choice in sorted(choices, key=cost):
            segments = [*placed.segments[:time], choice, *placed.segments[time + 1 :]]
            if _fits(segments, layers, maps, words, stretch):
                placed = _place(segments, layers, maps, words, stretch)
                break
    return placed
