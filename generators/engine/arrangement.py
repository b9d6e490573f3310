"""A program in the making: its layers in pieces, what these take of memories and of time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from mbconv.hdl.engine.instruction import Operation
from mbconv.hdl.engine.latencies import Latencies

from .cycles import instruction_cycles
from .layer import Layer
from .layers import Lowering
from .memory_timing import MemoryTiming
from .overlap import Merged, Work, crossing, cuts, merge
from .ranges import range_values
from .segments import Piece, Placed, Segment, Stretch, arrange


class Arrangement:
    """Layers, where their maps lie and in which pieces they are computed.

    Args:
        engine: its parameters and latencies; timing: of the memory behind its port.

    Attributes:
        streams: something comes through the port in every frame.
        loaded: layers whose tables do.
        cut: the first late layer; 0: there is none.
        placed: maps and pieces.
    """

    def __init__(self, lowering: Lowering, layers: list[Layer], engine: Latencies, timing: MemoryTiming | None) -> None:
        self.lowering, self.layers, self.engine, self.timing = lowering, layers, engine, timing
        self.parameters = engine.parameters
        self.streams = False
        self.loaded: set[int] = set()
        self.cut = 0
        self.placed = self._arranged(Stretch(0, len(layers)))

    def _arranged(self, stretch: Stretch) -> Placed:
        p = self.parameters
        return arrange(self.layers, self.lowering.map, p.map_words, self._cost, bool(p.ranges), stretch)

    @property
    def _word_cycles(self) -> Fraction:
        assert self.timing is not None
        return self.parameters.word_beats * self.timing.period(self.parameters.port_bytes)

    def _merged(self, cut: int, works: Sequence[Work], resident: Collection[int]) -> Merged:
        """The order of two frames' pieces, the second one's behind a cut."""
        room = self._room(resident)
        early = [work for work in works if work.piece.layer < cut]
        late = [part for work in works[len(early) :] for part in self._parts(work, room // 4, resident)]
        kept = crossing(self.layers, cut)
        writes = [place for place, work in enumerate(early) if self.layers[work.piece.layer].writes in kept]
        return merge(early, late, min(writes), room, self._word_cycles)

    def _cuts(self) -> list[int]:
        """Where a frame may be cut; where it is, if that is known."""
        return [self.cut] if self.cut else cuts(self.layers, [segment.first for segment in self.placed.segments])

    def _room(self, resident: Collection[int]) -> int:
        """Words of the ring beside the weights of these layers, which stay."""
        return self.parameters.weight_words - sum(self._weight_words(number) for number in resident)

    def _works(self, resident: Collection[int]) -> list[Work]:
        return [self._work(piece, resident) for segment in self.placed.segments for piece in segment.pieces]

    def _work(self, piece: Piece, resident: Collection[int]) -> Work:
        cycles = instruction_cycles(self.engine, self._fields(piece, last=False))
        return Work(piece, cycles, self._piece_words(piece) if self._comes(piece.layer, resident) else 0)

    def _parts(self, work: Work, words: int, resident: Collection[int]) -> list[Work]:
        """Some groups of channels at a time, of so many words of weights if one has not more."""
        layer = self.layers[work.piece.layer]
        if work.words <= words or layer.values["operation"] != Operation.DENSE:
            return [work]
        groups, size = layer.values["groups"] + 1, max(1, words // self._streamed_words(work.piece.layer))
        return [
            self._work(replace(work.piece, groups=(first, min(first + size, groups))), resident)
            for first in range(0, groups, size)
        ]

    def _cost(self, segment: Segment) -> int:
        """Cycles of a segment, but for what is waited for."""
        return sum(instruction_cycles(self.engine, self._fields(piece, last=False)) for piece in segment.pieces)

    def _fields(self, piece: Piece, *, last: bool) -> dict[str, int]:
        """The fields of an instruction that are no addresses."""
        layer = self.layers[piece.layer]
        values = dict.fromkeys(("words", "tail", "rows", "columns", "taps", "blocks", "groups", "binary"), 0)
        values |= range_values(self.parameters, layer, piece.first, piece.end) | {"last": int(last)}
        if piece.groups[1]:
            values["groups"] = piece.groups[1] - piece.groups[0] - 1
        return values

    def _comes(self, number: int, resident: Collection[int]) -> bool:
        """Whether what a layer needs comes through the port, if the weights of these layers stay."""
        return number in self.loaded or (self.layers[number].weights is not None and number not in resident)

    def _weights(self, number: int) -> np.ndarray:
        found = self.layers[number].weights
        assert found is not None
        return found

    def _weight_words(self, number: int) -> int:
        return len(self._weights(number))

    @property
    def _constant_room(self) -> int:
        """Words of constants for layers whose weights stay: the others come with their weights, or are a word of a
        table."""
        p, tables = self.parameters, sum(layer.tables is not None for layer in self.layers)
        return p.constant_words - p.constants_in_turn - tables

    def _constant_words(self, number: int) -> int:
        """Of a layer whose weights stay."""
        still = self.layers[number].values.get("still_constants")
        return 1 if still else self._groups(number) * self.parameters.beats

    def _group_words(self, number: int) -> int:
        """Words of weights that are used together: those of a group of channels."""
        return self._weight_words(number) // self._groups(number)

    def _groups(self, number: int) -> int:
        """Groups of channels of a layer."""
        return self.layers[number].values.get("groups", 0) + 1

    def _streamed_words(self, number: int) -> int:
        """Words of a group of channels that come through the port: its constants, its weights; of a TABLE all."""
        if number in self.loaded:
            return self.parameters.table_stream_words
        return self.parameters.constant_stream_words + self._group_words(number)

    def _piece_words(self, piece: Piece) -> int:
        """Words of a piece that come through the port."""
        first, end = piece.groups if piece.groups[1] else (0, self._groups(piece.layer))
        return (end - first) * self._streamed_words(piece.layer)
