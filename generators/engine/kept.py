"""What of a program stays on the chip, and what comes through the engine's port in every frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mbconv.hdl.engine.latencies import Latencies

from ..graph.graph import GraphError
from .arrangement import Arrangement
from .layer import Layer
from .layers import Lowering
from .memory_timing import MemoryTiming
from .overlap import merge
from .segments import Segment

_HIDDEN = 0.75
"""Of a segment's cycles: so long may the port fetch its weights again, and be ahead of it all the same."""


class Kept(Arrangement):
    """An arrangement with the layers whose weights stay in the weight memory, from the upload on.

    Attributes:
        resident: by layer, where its weights are; resident_words: what is there, in that order.
        ring: the first word behind them, where those that come through the port pass; 0: nothing comes.

    Raises:
        GraphError: weights have to come from outside, and how fast is not known.
    """

    def __init__(self, lowering: Lowering, layers: list[Layer], engine: Latencies, timing: MemoryTiming | None) -> None:
        super().__init__(lowering, layers, engine, timing)
        p = engine.parameters
        weighted = [number for number, layer in enumerate(layers) if layer.weights is not None]
        fits = sum(map(self._weight_words, weighted)) <= p.weight_words
        fits &= sum(map(self._constant_words, weighted)) <= self._constant_room
        fits &= not p.loads_tables or len({layer.tables for layer in layers} - {None}) <= p.tables
        self.streams = bool(p.port_bytes) and not fits
        if self.streams and timing is None:
            raise GraphError(
                f"the weights of {lowering.graph.name} come from outside the chip: say how fast, with memory_bytes=1/2 "
                "bytes a cycle, for example"
            )
        self.ring = 0
        self.resident: dict[int, int] = {}
        self.resident_words: list[np.ndarray] = []
        self._keep()

    def _keep(self) -> None:
        """Choose the layers whose weights stay: all that fit; else those that instructions write, those of one word,
        of layers in several pieces as many as it takes that the others are fetched while they compute, and as many
        more as make a frame shorter, for which the ring of the others is smaller."""
        weighted = [number for number, layer in enumerate(self.layers) if layer.weights is not None]
        self.loaded = self._loaded_tables()
        chosen = set(weighted)
        if self.streams:
            chosen = {
                number
                for number in weighted
                if self.layers[number].values.get("still_weights") or self.layers[number].kept
            }
            room = self.parameters.weight_words - sum(self._weight_words(number) for number in chosen)
            room -= 2 * max(map(self._streamed_words, weighted), default=0)
            constants = self._constant_room - sum(map(self._constant_words, chosen))
            for segment in self.placed.segments:
                for number in self._worth_keeping(segment, [number for number in weighted if number not in chosen]):
                    if self._weight_words(number) <= room and self._constant_words(number) <= constants:
                        chosen.add(number)
                        room -= self._weight_words(number)
                        constants -= self._constant_words(number)
            choices = [chosen, *(self._more_kept(chosen, weighted, room * part // 4) for part in (2, 3, 4))]
            chosen = min(choices, key=self._kept_cost)
        self.ring, self.resident, self.resident_words = 0, {}, []
        for number in weighted:
            if number in chosen:
                self.resident[number] = self.ring
                self.resident_words.append(self._weights(number))
                self.ring += self._weight_words(number)
        if not self.streams:
            self.ring = 0

    def _loaded_tables(self) -> set[int]:
        """Layers whose tables come through the port: all but those that are looked up in most instructions, where not
        all fit."""
        counts: Counter[object] = Counter()
        for segment in self.placed.segments:
            counts.update(self.layers[piece.layer].tables for piece in segment.pieces)
        del counts[None]
        if len(counts) <= self.parameters.tables or not (self.streams and self.parameters.loads_tables):
            return set()
        kept = {tables for tables, _ in counts.most_common(self.parameters.tables - 1)} | {None}
        return {number for number, layer in enumerate(self.layers) if layer.tables not in kept}

    def _more_kept(self, chosen: set[int], weighted: Sequence[int], room: int) -> set[int]:
        """Further layers whose weights stay in so many words: those that are fetched most often, of others the last,
        which wait most."""
        more = set(chosen)
        counts = Counter(piece.layer for segment in self.placed.segments for piece in segment.pieces)
        constants = self._constant_room - sum(map(self._constant_words, chosen))
        for number in sorted(set(weighted) - chosen, key=lambda number: (counts[number], number), reverse=True):
            words = self._weight_words(number)
            if words <= room and self._constant_words(number) <= constants:
                more.add(number)
                room -= words
                constants -= self._constant_words(number)
        return more

    def _kept_cost(self, kept: set[int]) -> int:
        """Roughly the cycles of a frame if the weights of these layers stay."""
        if self.timing is None:
            return 0
        works, room = self._works(kept), self._room(kept)
        found = [] if self.cut else [merge(works, [], len(works), room, self._word_cycles).cycles]
        if self.parameters.overlaps:
            found += [self._merged(cut, works, kept).cycles for cut in self._cuts()]
        return min(found)

    def _worth_keeping(self, segment: Segment, layers: list[int]) -> list[int]:
        """Layers of a segment of several steps whose weights, fetched again for each, would take longer than it
        computes: those first that save most for what they take."""
        counts = Counter(piece.layer for piece in segment.pieces)
        inside = [number for number in layers if counts[number] > 1]
        if not inside or self.timing is None:
            return []
        fetched = {
            number: counts[number] * self._groups(number) * self._streamed_words(number) * self._word_cycles
            for number in inside
        }
        found, left = [], sum(fetched.values()) - self._cost(segment) * _HIDDEN
        for number in sorted(inside, key=lambda number: -counts[number]):
            if left > 0:
                found.append(number)
                left -= fetched[number]
        return found
