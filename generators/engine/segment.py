"""Consecutive layers computed together, some rows at a time: their pieces in order, and what passes between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from .layer import Layer
from .layout import Area, StoredMap
from .ranges import needed_rows, reads_several_rows

Maps = Callable[[int], StoredMap]


@dataclass(frozen=True)
class Piece:
    """Rows ``first`` to ``end`` of a layer, the number of which is ``layer``; of one without rows, 0 to 0.

    ``groups``: of channels, the first and the one behind the last; (0, 0): all of them.
    """

    layer: int
    first: int
    end: int
    groups: tuple[int, int] = (0, 0)


@dataclass(frozen=True, eq=False)
class Segment:
    """Consecutive layers, of which each but the last is read by the next alone.

    Args:
        layers: all of the network; first, end: those of the segment.
        rows: of the last one's result that are computed in a step; 0: every layer whole.
        single: layers at the beginning that are computed a row at a time, each row when it is needed: less lies between
            them, and there are more instructions. An INPUT among them takes as many rows as are needed.
    """

    layers: Sequence[Layer]
    maps: Maps
    first: int
    end: int
    rows: int = 0
    single: int = 0

    @cached_property
    def pieces(self) -> list[Piece]:
        """Instructions in their order."""
        inside = range(self.first, self.end)
        if not self.rows:
            return [Piece(number, 0, self.layers[number].rows) for number in inside]
        found: list[Piece] = []
        done = dict.fromkeys(inside, 0)
        last, height = self.end - 1, self.layers[self.end - 1].rows
        packet = self.layers[self.first].rows if not self.layers[self.first].reads else 0  # is taken whole

        def compute(number: int, until: int) -> None:
            """The rows of a layer up to one, after those that they need."""
            single = number < self.first + self.single
            while done[number] < until:
                first = done[number]
                end = first + 1 if single and self.layers[number].reads else until
                if number > self.first:
                    compute(number - 1, self._needed(number, first, end)[1])
                elif done[last] + self.rows >= height and not single:
                    end = max(end, packet)
                found.append(Piece(number, first, end))
                done[number] = end

        while done[last] < height:
            compute(last, min(done[last] + self.rows, height))
        compute(self.first, packet)
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
            starts = [[piece.first for piece in by_layer[layer]] for layer in (number, number + 1)]
            if not reads_several_rows(reader) and starts[0] == starts[1]:
                found[stored.tensor.index] = Area(min(words, stored.words), starts_over=True)
                continue
            ring = 1 << (words - 1).bit_length()
            found[stored.tensor.index] = Area(ring, ring=ring) if ring < stored.words else Area(stored.words)
        return found
