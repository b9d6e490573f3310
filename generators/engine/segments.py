"""Layers computed together some rows at a time, so that what passes between them takes little memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..graph.graph import GraphError
from .layers import Layer
from .layout import Area, StoredMap, place
from .ranges import needed_rows, reads_several_rows

Maps = Callable[[int], StoredMap]


@dataclass(frozen=True)
class Piece:
    """Rows ``first`` to ``end`` of a layer, the number of which is ``layer``; of one without rows, 0 to 0."""

    layer: int
    first: int
    end: int


@dataclass(frozen=True, eq=False)
class Segment:
    """Consecutive layers, of which each but the last is read by the next alone.

    Args:
        layers: all of the network; first, end: those of the segment.
        rows: of the last one's result that are computed in a step; 0: every layer whole.
    """

    layers: Sequence[Layer]
    maps: Maps
    first: int
    end: int
    rows: int = 0

    @cached_property
    def pieces(self) -> list[Piece]:
        """Instructions in their order."""
        inside = range(self.first, self.end)
        if not self.rows:
            return [Piece(number, 0, self.layers[number].rows) for number in inside]
        found: list[Piece] = []
        done = dict.fromkeys(inside, 0)
        last = self.end - 1
        height = self.layers[last].rows
        while done[last] < height:
            until = {last: min(done[last] + self.rows, height)}
            for number in reversed(range(self.first, last)):
                _, needed = self._needed(number + 1, done[number + 1], until[number + 1])
                until[number] = max(done[number], needed)
            if until[last] == height and not self.layers[self.first].reads:
                until[self.first] = self.layers[self.first].rows  # a packet is taken whole
            for number in inside:
                if until[number] > done[number]:
                    found.append(Piece(number, done[number], until[number]))
                    done[number] = until[number]
        return found

    def _needed(self, number: int, first: int, end: int) -> tuple[int, int]:
        """Rows of what the layer before writes that a layer reads."""
        layer = self.layers[number]
        return needed_rows(layer, first, end, self.maps(layer.reads[0]).tensor.height)

    @cached_property
    def areas(self) -> dict[int, Area]:
        """Of the maps between its layers."""
        found: dict[int, Area] = {}
        if not self.rows:
            return found
        by_layer: dict[int, list[Piece]] = {}
        for piece in self.pieces:
            by_layer.setdefault(piece.layer, []).append(piece)
        order = {piece: place for place, piece in enumerate(self.pieces)}
        for number in range(self.first, self.end - 1):
            stored, reader = self.maps(self.layers[number].writes or 0), self.layers[number + 1]
            # rows that lie there when more are written, from the first that the reader's next rows need
            most, reads = 0, list(by_layer[number + 1])
            for piece in by_layer[number]:
                while reads and order[reads[0]] < order[piece]:
                    reads.pop(0)
                needed = self._needed(number + 1, reads[0].first, reads[0].end)[0] if reads else piece.first
                most = max(most, piece.end - min(needed, piece.first))
            words = most * stored.step
            if not reads_several_rows(reader):
                found[stored.tensor.index] = Area(min(words, stored.words), starts_over=True)
                continue
            ring = 1 << (words - 1).bit_length()
            found[stored.tensor.index] = Area(ring, ring=ring) if ring < stored.words else Area(stored.words)
        return found


@dataclass(frozen=True)
class Placed:
    """Segments in order, and where every tensor lies."""

    segments: tuple[Segment, ...]
    areas: dict[int, Area]
    addresses: dict[int, int]
    words: int


def arrange(layers: Sequence[Layer], maps: Maps, words: int, cost: Callable[[Segment], int], ranges: bool) -> Placed:
    """Segments whose maps fit the memory: whole layers where they do, else as few joined as it takes, each of as many
    rows a step as fit with the least cost.

    Args:
        words: of the map memory.
        cost: of a segment, cycles.
        ranges: the engine computes some rows of a map.

    Raises:
        GraphError: they do not fit; the message names the layer that needs most.
    """
    segments = [Segment(layers, maps, number, number + 1) for number in range(len(layers))]
    readers: dict[int, list[int]] = {}
    for number, layer in enumerate(layers):
        for tensor in layer.reads:
            readers.setdefault(tensor, []).append(number)
    while ranges:
        worst, live = _most(segments, layers, maps)
        if live <= words and _fits(segments, layers, maps, words):
            break
        joined = _joined(segments, readers, worst)
        if joined is None:
            break
        segments = joined
    placed = _place(segments, layers, maps, words)
    if ranges:
        placed = _grown(placed, layers, maps, words, cost)
    return placed


def _lifetimes(segments: Sequence[Segment], layers: Sequence[Layer], maps: Maps) -> dict[int, tuple[Area, int, int]]:
    """By tensor its area, and the first and last segment that needs it."""
    found: dict[int, tuple[Area, int, int]] = {}
    for time, segment in enumerate(segments):
        for tensor, area in segment.areas.items():
            found[tensor] = (area, time, time)
        for number in range(segment.first, segment.end):
            written = layers[number].writes
            if written is not None and written not in found:
                found[written] = (Area(maps(written).words), time, time)
            for tensor in layers[number].reads:
                area, begin, _ = found[tensor]
                found[tensor] = (area, begin, time)
    return found


def _most(segments: Sequence[Segment], layers: Sequence[Layer], maps: Maps) -> tuple[int, int]:
    """The segment during which most words are needed, and how many."""
    live = [0] * len(segments)
    for area, begin, end in _lifetimes(segments, layers, maps).values():
        for time in range(begin, end + 1):
            live[time] += area.words
    worst = max(range(len(live)), key=live.__getitem__)
    return worst, live[worst]


def _fits(segments: Sequence[Segment], layers: Sequence[Layer], maps: Maps, words: int) -> bool:
    try:
        _place(segments, layers, maps, words)
    except GraphError:
        return False
    return True


def _place(segments: Sequence[Segment], layers: Sequence[Layer], maps: Maps, words: int) -> Placed:
    lifetimes = _lifetimes(segments, layers, maps)
    names = {time: layers[segment.first].name for time, segment in enumerate(segments)}
    size = maps(next(iter(lifetimes))).channels_of_word if lifetimes else 1
    addresses = place(lifetimes, words, names, size)
    areas = {tensor: area for tensor, (area, _, _) in lifetimes.items()}
    end = max((addresses[tensor] + area.words for tensor, area in areas.items()), default=0)
    return Placed(tuple(segments), areas, addresses, end)


def _joined(segments: Sequence[Segment], readers: dict[int, list[int]], worst: int) -> list[Segment] | None:
    """The segments with two joined between which the largest map passes that is there in the ``worst`` one; None where
    there are no two."""
    best, at = 0, -1
    for time in (worst - 1, worst):
        if not 0 <= time < len(segments) - 1:
            continue
        before, behind = segments[time], segments[time + 1]
        tensor = before.layers[before.end - 1].writes
        reader = behind.layers[behind.first]
        if tensor is None or readers.get(tensor) != [behind.first] or reader.reads[0] != tensor:
            continue
        if not (before.layers[before.end - 1].rows and behind.layers[behind.end - 1].rows and reader.rows):
            continue
        words = before.maps(tensor).words
        if words > best:
            best, at = words, time
    if at < 0:
        return None
    before, behind = segments[at], segments[at + 1]
    return [*segments[:at], replace(before, end=behind.end, rows=1), *segments[at + 2 :]]


def _grown(placed: Placed, layers: Sequence[Layer], maps: Maps, words: int, cost: Callable[[Segment], int]) -> Placed:
    """The same segments with the rows a step that cost least, of those that fit."""
    for time, segment in enumerate(placed.segments):
        if not segment.rows:
            continue
        choices = [replace(segment, rows=rows) for rows in range(1, layers[segment.end - 1].rows + 1)]
        for choice in sorted(choices, key=cost):
            segments = [*placed.segments[:time], choice, *placed.segments[time + 1 :]]
            if _fits(segments, layers, maps, words):
                placed = _place(segments, layers, maps, words)
                break
    return placed
