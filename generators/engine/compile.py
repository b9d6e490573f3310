"""From a graph to a program: the order of its instructions, addresses, memories' contents, and how long it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from mbconv.hdl.engine.instruction import (
    LANE_FIELDS,
    RANGE_FIELDS,
    Operation,
    instruction_layout,
    instruction_words,
    pack_instruction,
)
from mbconv.hdl.engine.latencies import Latencies
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.hdl.engine.weight_port import TILE_WORDS
from mbconv.hdl.family import GENERIC, Family

from ..constants.weights import pack_records
from ..graph.graph import Graph, GraphError
from ..stages.network import Network, Node, build_network
from .copies import without_copies
from .cycles import FrameClock, instruction_cycles
from .layers import Layer, Lowering
from .layout import StoredMap
from .memory_timing import MemoryTiming
from .overlap import Merged, Part, Work, crossing, cuts, merge
from .ranges import range_values
from .segments import Piece, Placed, Segment, Stretch, arrange
from .streams import stream_places
from .vectors import product_layers


def _one_layer(lowering: Lowering, node: Node) -> list[Layer]:
    return [lowering.layer(node)]


SEVERAL_LAYERS: dict[str, Callable[[Lowering, Node], list[Layer]]] = {"multiply": product_layers}
"""Of circuits that take more than one instruction; of all others ``Lowering.layer`` makes one."""

_HIDDEN = 0.75
"""Of a segment's cycles: so long may the port fetch its weights again, and be ahead of it all the same."""

_WORTHWHILE = 0.99
"""Of the cycles of a frame; two are computed at once where they take less, as each then takes longer to its end."""

_NEAR, _TRIED = 1.1, 5
"""Of the cycles of the best cut, by a count that leaves out what its maps take beside others: so near ones, about so
many of them, are counted whole."""


@dataclass(frozen=True, eq=False)
class Instruction:
    """An instruction of a program.

    Attributes:
        values: all its fields.
        written: the map that it writes; None for OUTPUT, and for one that writes weights.
        times: by part of the program in which it is executed, cycles from the end of the one before to its own,
            exactly, where nothing outside waits; and of them, those in which weights are waited for.
        late: it is of the frame before, where two are computed at once.
        fetched: bytes of weights that come through the port.
        rows: of the map, the first and the one behind the last; (0, 0) of a map that has none.
        groups: of channels, the first and the one behind the last; (0, 0): all.
        ring: words of the ring that it writes into; 0: it is none.
    """

    layer: Layer
    values: dict[str, int]
    written: StoredMap | None
    times: dict[Part, tuple[int, int]]
    late: bool = False
    fetched: int = 0
    rows: tuple[int, int] = (0, 0)
    groups: tuple[int, int] = (0, 0)
    ring: int = 0

    @property
    def lone(self) -> Part:
        """The part that it is executed in for a lone frame."""
        return Part.LATE if self.late else Part.EARLY

    @property
    def cycles(self) -> int:
        """Of a lone frame."""
        return self.times[self.lone][0]

    @property
    def waits(self) -> int:
        """Of a lone frame."""
        return self.times[self.lone][1]

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def writes_weights(self) -> bool:
        return bool(self.values.get("to_weights"))

    @property
    def ends_program(self) -> bool:
        return self.values["operation"] == Operation.END

    @property
    def weight_bytes(self) -> int:
        return 0 if self.layer.weights is None else self.layer.weights.size


@dataclass(frozen=True, eq=False)
class Program:
    """A network for engines of some parameters.

    Attributes:
        instructions: of a frame, in order.
        memories: by the name of the engine's parameter, words that are used.
        weights: int64 ``[words][channels]``, those that are uploaded; streams: those that come through the port, in
            their order, for each part of the program.
        timing: of the memory behind the port; constants: a word for each channel; tables: pairs.
        interval: cycles from a frame's last byte out to the next one's, where input waits and output does not.
    """

    parameters: EngineParameters
    network: Network
    instructions: tuple[Instruction, ...]
    memories: dict[str, int]
    weights: np.ndarray
    streams: dict[Part, np.ndarray]
    timing: MemoryTiming | None
    constants: list[int]
    tables: list[tuple[tuple[int, ...], tuple[int, ...]]]

    @property
    def graph(self) -> Graph:
        return self.network.graph

    @property
    def inputs(self) -> list[int]:
        """Tensors, in the order of their packets, as they are stored."""
        return list(self.network.inputs.values())

    @property
    def outputs(self) -> list[int]:
        return list(self.network.outputs)

    @property
    def overlaps(self) -> bool:
        """A frame's last layers are computed among the first of the next."""
        return Part.BOTH in self.streams

    @property
    def cycles(self) -> int:
        """From the cycle in which a lone frame's first byte is offered to the one in which its last is taken."""
        return sum(instruction.cycles for instruction in self.instructions)

    @property
    def waits(self) -> int:
        """Of a lone frame's cycles, those in which weights are waited for."""
        return sum(instruction.waits for instruction in self.instructions)

    @property
    def interval(self) -> int:
        if not self.overlaps:
            return self.cycles + 1
        return sum(instruction.times[Part.BOTH][0] for instruction in self.instructions)

    def intervals(self, frames: int) -> tuple[int, ...]:
        """Between the ends of so many frames that follow one another, the last of which has none behind it."""
        if not self.overlaps or frames < 2:
            return (self.interval,) * (frames - 1)
        first, last = (self._until_output(part) for part in (Part.BOTH, Part.LATE))
        return (*(self.interval,) * (frames - 2), self.interval - first + last)

    def _until_output(self, part: Part) -> int:
        """Cycles from the beginning of a part of the program to the frame's last byte."""
        place = next(place for place, one in enumerate(self.instructions) if one.values["last"])
        return sum(one.times.get(part, (0, 0))[0] for one in self.instructions[: place + 1])

    @cached_property
    def macs(self) -> int:
        layers = {id(one.layer): one.layer for one in self.instructions}
        return sum(layer.macs for layer in layers.values())


def compile_network(
    graph: Graph, parameters: EngineParameters, family: Family = GENERIC, timing: MemoryTiming | None = None
) -> Program:
    """Compile a graph for an engine. Its weights are uploaded once where they fit the weight memory; else they come
    through the engine's port in every frame.

    Args:
        timing: of the memory behind the port.
        family: whose latencies the cycles are counted for; it changes no program.

    Raises:
        GraphError: nodes that are no instruction, all of them in one message; or what does not fit: the memory, what is
            needed, what there is.
    """
    network = without_copies(build_network(graph))
    lowering = Lowering(network, parameters)
    layers, problems = [], []
    for node in network.nodes:
        try:
            layers += SEVERAL_LAYERS.get(node.kind, _one_layer)(lowering, node)
        except GraphError as error:
            problems.append(str(error))
    if problems:
        raise GraphError("\n  ".join([f"{graph.name} cannot be compiled for the engine:", *problems]))
    inputs, outputs = lowering.ports()
    return _Assembly(lowering, [*inputs, *layers, *outputs], Latencies(parameters, family), timing).program()


class _Assembly:
    """A program being put together."""

    def __init__(self, lowering: Lowering, layers: list[Layer], engine: Latencies, timing: MemoryTiming | None) -> None:
        self.lowering, self.engine, self.timing = lowering, engine, timing
        self.layers = [_turned(layer, before) for layer, before in zip(layers, [None, *layers[:-1]], strict=True)]
        self.parameters = p = engine.parameters
        self.resident: dict[int, int] = {}  # by layer, where its weights are in the memory from the upload on
        self.resident_words: list[np.ndarray] = []
        self.streamed_words = 0
        self.constants: list[int] = []
        self.first_constants: dict[int, int] = {}  # by layer
        self.tables: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        weighted = [number for number, layer in enumerate(layers) if layer.weights is not None]
        fits = sum(map(self._weight_words, weighted)) <= p.weight_words
        fits &= sum(map(self._constant_words, weighted)) <= self._constant_room
        self.streams = bool(p.port_bytes) and not fits
        if self.streams and timing is None:
            raise GraphError(
                f"the weights of {lowering.graph.name} come from outside the chip: say how fast, with memory_bytes=1/2 "
                "bytes a cycle, for example"
            )
        self.cut = 0  # the first late layer; 0: there is none
        self.placed = self._arranged(Stretch(0, len(layers)))
        self._keep()
        pieces = [piece for segment in self.placed.segments for piece in segment.pieces]
        self.order = self._overlapped() or [(piece, False) for piece in pieces]

    def _arranged(self, stretch: Stretch) -> Placed:
        p = self.parameters
        return arrange(self.layers, self.lowering.map, p.map_words, self._cost, bool(p.ranges), stretch)

    def _overlapped(self) -> list[tuple[Piece, bool]]:
        """Pieces of two frames in one order, the late ones with True, and END; none where that saves nothing."""
        whole = self.placed
        room = self.parameters.weight_words - self.ring
        if not (self.parameters.overlaps and self.streams) or room < TILE_WORDS:
            return []
        works = self._works(self.resident)
        least = _WORTHWHILE * merge(works, [], len(works), room, self._word_cycles).cycles
        roughly = {cut: self._merged(cut, works, self.resident).cycles for cut in self._cuts()}
        near = [cut for cut, cycles in roughly.items() if cycles <= min(least, _NEAR * min(roughly.values()))]
        found: list[tuple[int, int, Placed]] = []
        for cut in near[:: max(1, len(near) // _TRIED)]:
            try:
                self.cut, self.placed = cut, self._apart(cut)
            except GraphError:
                continue
            self._keep()
            if self.parameters.weight_words - self.ring >= TILE_WORDS:
                merged = self._merged(cut, self._works(self.resident), self.resident)
                found.append((merged.cycles, cut, self.placed))
        cycles, self.cut, self.placed = min(found, key=lambda one: one[:2], default=(0, 0, whole))
        self._keep()
        if not self.cut or cycles > least:
            return []
        self.layers.append(Layer("end", {"operation": Operation.END}, (), None))
        order = self._merged(self.cut, self._works(self.resident), self.resident).order
        return [*order, (Piece(len(self.layers) - 1, 0, 0), False)]

    def _cuts(self) -> list[int]:
        """Where a frame may be cut; where it is, if that is known."""
        return [self.cut] if self.cut else cuts(self.layers, [segment.first for segment in self.placed.segments])

    def _apart(self, cut: int) -> Placed:
        """Early and late layers, arranged apart."""
        late = self._arranged(Stretch(cut, len(self.layers)))
        early = self._arranged(Stretch(0, cut, crossing(self.layers, cut), late.words))
        return Placed(
            (*early.segments, *late.segments),
            early.areas | late.areas,
            early.addresses | late.addresses,
            max(early.words, late.words),
        )

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

    def _room(self, resident: Collection[int]) -> int:
        """Words of the ring beside the weights of these layers, which stay."""
        return self.parameters.weight_words - sum(self._weight_words(number) for number in resident)

    def _works(self, resident: Collection[int]) -> list[Work]:
        return [self._work(piece, resident) for segment in self.placed.segments for piece in segment.pieces]

    def _work(self, piece: Piece, resident: Collection[int]) -> Work:
        cycles = instruction_cycles(self.engine, self._fields(piece, last=False))
        weighted = self.layers[piece.layer].weights is not None and piece.layer not in resident
        return Work(piece, cycles, self._piece_words(piece) if weighted else 0)

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

    def _keep(self) -> None:
        """Choose the layers whose weights stay: all that fit; else those that instructions write, those of one word,
        of layers in several pieces as many as it takes that the others are fetched while they compute, and as many
        more as make a frame shorter, for which the ring of the others is smaller."""
        weighted = [number for number, layer in enumerate(self.layers) if layer.weights is not None]
        chosen = set(weighted)
        if self.streams:
            chosen = {
                number
                for number in weighted
                if self.layers[number].values.get("still_weights") or self.layers[number].kept
            }
            room = self.parameters.weight_words - sum(self._weight_words(number) for number in chosen)
            room -= 2 * max(self._streamed_words(number) for number in weighted)
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
        """Words of a group of channels that come through the port: its constants, its weights."""
        return self.parameters.constant_stream_words + self._group_words(number)

    def _piece_words(self, piece: Piece) -> int:
        """Words of a piece that come through the port."""
        first, end = piece.groups if piece.groups[1] else (0, self._groups(piece.layer))
        return (end - first) * self._streamed_words(piece.layer)

    def _streams(self) -> dict[Part, np.ndarray]:
        """The weights that come through the port for each part of the program."""
        streamed = {number: self._with_constants(number) for number in self._streamed_layers()}

        def words(part: Part) -> np.ndarray:
            found = [np.zeros((0, self.parameters.channels), np.int64)]
            for piece, late in self.order:
                if piece.layer in streamed and _executed(part, late):
                    first = piece.groups[0] * self._streamed_words(piece.layer)
                    found.append(streamed[piece.layer][first : first + self._piece_words(piece)])
            return np.concatenate(found)

        return {part: words(part) for part in (Part if any(late for _, late in self.order) else (Part.EARLY,))}

    def program(self) -> Program:
        made: list[tuple[Piece, bool, dict[str, int]]] = []
        problems = []
        p = self.parameters
        resident = np.concatenate([np.zeros((0, p.channels), np.int64), *self.resident_words])
        streams = self._streams()
        places = stream_places(p, streams)
        last = max(
            place
            for place, (piece, _) in enumerate(self.order)
            if self.layers[piece.layer].values["operation"] == Operation.OUTPUT
        )
        for place, (piece, late) in enumerate(self.order):
            try:
                values = self._values(piece, first=not place, last=place == last) | {"late": int(late)}
                if values["operation"] == Operation.END:
                    values |= {"positive": places[Part.BOTH], "negative": places[Part.LATE], "weights": self.ring}
                made.append((piece, late, self._known(values)))
            except ValueError as error:
                problems.append(f"{self.layers[piece.layer].name}: {error}")
        groups = {number: self._streamed_words(number) for number in self._streamed_layers()}
        used = {
            "map_words": self.placed.words,
            "weight_words": len(resident) + max(groups.values(), default=0),
            "constant_words": len(self.constants) // p.requantizers + p.constants_in_turn,
            "tables": len(self.tables),
            "instructions": len(self.order),
        }
        for name, count in used.items():
            if count > getattr(p, name):
                more = self._largest(groups) if name == "weight_words" else ""
                problems.append(f"it needs {name} = {count:,}, the engine has {getattr(p, name):,}{more}")
        if problems:
            raise GraphError("\n  ".join([f"{self.lowering.graph.name} does not fit the engine:", *_once(problems)]))
        times = self._times(made, streams)
        instructions = []
        for place, (piece, late, values) in enumerate(made):
            layer = self.layers[piece.layer]
            written = None if layer.writes is None else self.lowering.map(layer.writes)
            ring = 0 if layer.writes is None else self.placed.areas[layer.writes].ring
            fetched = 0
            if values.get("streamed") and layer.weights is not None:
                fetched = self._piece_words(piece) * p.word_beats * p.port_bytes
            rows = (piece.first, piece.end)
            instructions.append(
                Instruction(layer, values, written, times[place], late, fetched, rows, piece.groups, ring)
            )
        return Program(
            p, self.lowering.network, tuple(instructions), used, resident, streams, self.timing, self.constants,
            self.tables,
        )  # fmt: skip

    def _times(
        self, made: Sequence[tuple[Piece, bool, dict[str, int]]], streams: Mapping[Part, np.ndarray]
    ) -> list[dict[Part, tuple[int, int]]]:
        """Of each instruction in each part of the program that executes it, its cycles and those that it waits."""
        found: list[dict[Part, tuple[int, int]]] = [{} for _ in made]
        for part, stream in streams.items():
            begin = None if part == Part.EARLY else 0
            clock = FrameClock(self.engine, self.timing, len(stream), self.parameters.weight_words - self.ring, begin)
            for times, (piece, late, values) in zip(found, made, strict=True):
                if _executed(part, late) or values["operation"] == Operation.END:
                    times[part] = clock.add(self._fields(piece, last=bool(values["last"])) | values)
                else:
                    clock.pass_over()
        return found

    def _streamed_layers(self) -> list[int]:
        return [
            number
            for number, layer in enumerate(self.layers)
            if layer.weights is not None and number not in self.resident
        ]

    def _largest(self, groups: Mapping[int, int]) -> str:
        """What needs most of the weight memory, and what would help."""
        p = self.parameters
        if groups:
            largest = max(groups, key=groups.__getitem__)
            return (
                f": {p.channels} channels of {self.layers[largest].name} have {groups[largest]:,} words, which are "
                "used together"
            )
        weights = {layer.name: layer.weights for layer in self.layers if layer.weights is not None}
        name = max(weights, key=lambda one: weights[one].size)
        total = sum(found.size for found in weights.values())
        return (
            f" ({total:,} bytes, of which {name} needs {weights[name].size:,}); with port_bytes=1 weights come from a "
            "memory outside the chip"
        )

    def _values(self, piece: Piece, *, first: bool, last: bool) -> dict[str, int]:
        """All fields of an instruction; its weights, constants and tables join the others."""
        p, layer = self.parameters, self.layers[piece.layer]
        values = self._fields(piece, last=last) | self._addresses(piece)
        if first:
            values |= {"weights": self.ring, "streamed": int(self.streams)}
        if layer.weights is not None:
            values |= self._place_weights(piece.layer)
        if layer.constants and not values.get("streamed"):
            if piece.layer not in self.first_constants:
                self.first_constants[piece.layer] = self._constants(layer)
            values["constants"] = self.first_constants[piece.layer] % (1 << (p.constant_words - 1).bit_length())
        if layer.tables is not None:
            if layer.tables not in self.tables:
                self.tables.append(layer.tables)
            values["table"] = self.tables.index(layer.tables) % (1 << (p.tables - 1).bit_length())
        values |= _from_the_last(p, values)
        # what steps beyond the memory's address goes round it, as the circuit's sums do
        for step in [name for name in values if name.endswith("_step") or name == "second"]:
            values[step] %= 1 << (p.map_words - 1).bit_length()
        return values

    def _known(self, values: dict[str, int]) -> dict[str, int]:
        """Those of an instruction's fields that this engine has: those of one pixel in DEPTHWISE, or of whole maps,
        have fewer.

        Raises:
            ValueError: a field does not hold its value.
        """
        known = instruction_layout(self.parameters).members
        spare = (*LANE_FIELDS, *RANGE_FIELDS, "to_weights", "late")
        values = {name: value for name, value in values.items() if name in known or name not in spare}
        pack_instruction(self.parameters, values)
        return values

    def _addresses(self, piece: Piece) -> dict[str, int]:
        """Where an instruction's rows lie."""
        layer, placed = self.layers[piece.layer], self.placed
        bits = (self.parameters.map_words - 1).bit_length()
        values = {"source_ring": bits, "destination_ring": bits}

        def place(tensor: int, offset: int, rows: int) -> tuple[int, int]:
            """The address of what lies so many words from a map's beginning, in its rows of this piece; how many of
            its bits turn."""
            area, base = placed.areas[tensor], placed.addresses[tensor]
            if area.starts_over:
                offset -= rows * self.lowering.map(tensor).step
            if area.ring:
                return base + offset % area.ring, area.ring.bit_length() - 1
            return (base + offset) % (1 << bits), bits

        if layer.reads:
            row = layer.values.get("row_step", 0) if layer.rows else 0
            values["source"], values["source_ring"] = place(
                layer.reads[0], piece.first * row - layer.before, piece.first
            )
            if len(layer.reads) > 1:
                second, _ = place(layer.reads[1], piece.first * row, piece.first)
                values["second"] = (second - values["source"]) % (1 << bits)
        if layer.values.get("to_weights"):
            (written,) = (n for n, other in enumerate(self.layers) if other.kept and other.name == layer.name)
            values["destination"] = self.resident[written] + layer.target
        if layer.writes is not None:
            offset = piece.first * self.lowering.map(layer.writes).step
            values["destination"], values["destination_ring"] = place(
                layer.writes, offset + piece.groups[0], piece.first
            )
        return values

    def _place_weights(self, number: int) -> dict[str, int]:
        """Where a layer's weights are; those that are streamed come behind the others."""
        p = self.parameters
        if number in self.resident:
            return {"weights": self.resident[number] % (1 << (p.weight_words - 1).bit_length())}
        place = self.ring + self.streamed_words % max(1, p.weight_words - self.ring)
        self.streamed_words += self._groups(number) * self._streamed_words(number)
        # an engine that overlaps frames knows it, as the order is not always the same
        return {"weights": 0 if p.overlaps else place % (1 << (p.weight_words - 1).bit_length()), "streamed": 1}

    def _with_constants(self, number: int) -> np.ndarray:
        """The words of a layer that come through the port: the constants of each group, then its weights."""
        p, layer = self.parameters, self.layers[number]
        words = pack_records(_whole(layer, p), p.channel_bits, p.requantizers)
        slices = [piece for word in words for piece in constant_slices(p, word)]
        constants = np.array([_elements(piece, p.channels, p.weight_bits) for piece in slices], np.int64)
        parts = (found.reshape(self._groups(number), -1, p.channels) for found in (constants, self._weights(number)))
        return np.concatenate(list(parts), axis=1).reshape(-1, p.channels)

    def _constants(self, layer: Layer) -> int:
        """Put a layer's constants behind the others; their first word."""
        p = self.parameters
        first = len(self.constants) // p.requantizers + p.constants_in_turn
        self.constants += _whole(layer, p)
        return first


def _whole(layer: Layer, parameters: EngineParameters) -> list[int]:
    """A layer's constants, as many for each group as it has channels."""
    words = list(layer.constants)
    size = parameters.requantizers if layer.values.get("still_constants") else parameters.channels
    if len(words) == 1 and layer.values.get("still_constants"):
        words *= size
    return [*words, *[0] * (-len(words) % size)]


def _elements(word: int, count: int, bits: int) -> list[int]:
    """The signed elements that a word holds."""
    found = [word >> bits * place & (1 << bits) - 1 for place in range(count)]
    return [element - (element >> bits - 1 << bits) for element in found]


def constant_slices(parameters: EngineParameters, word: int) -> list[int]:
    """A word of constants in words of weights, as :mod:`mbconv.hdl.engine.constant_memory` takes them."""
    bits = parameters.channels * parameters.weight_bits
    return [word >> bits * place & (1 << bits) - 1 for place in range(parameters.constant_slices)]


def _turned(layer: Layer, before: Layer | None) -> Layer:
    """A TABLE of two operands with the first one that the layer before writes, so that the two can be joined."""
    if before is None or layer.tables is None or layer.reads[1:] != (before.writes,):
        return layer
    return replace(layer, reads=layer.reads[::-1], tables=layer.tables[::-1])


def _executed(part: Part, late: bool) -> bool:
    """Whether a part of a program has the instructions that are late, or those that are not."""
    return part == Part.BOTH or late == (part == Part.LATE)


def _from_the_last(parameters: EngineParameters, values: Mapping[str, int]) -> dict[str, int]:
    """The fields that say how far something begins from the end of what is before it, of those that say how far it is
    from that one's beginning: circuits add to one address."""
    operation = values["operation"]
    if operation == Operation.OUTPUT:
        return {"destination": values["source"]}
    if operation in (Operation.INPUT, Operation.END):
        return {}
    wide, words = values.get("columns", 0), values.get("words", 0)
    found = {
        "row_step": values["row_step"] - values.get("output_width", 0) * values["pixel_step"],
        "tap_step": values.get("tap_step", 0) - words,
        "tap_row_step": values.get("tap_row_step", 0) - wide * values.get("tap_step", 0) - words,
    }
    if parameters.depthwise_lanes == 1 and operation != Operation.TABLE:
        lanes = parameters.pixels if operation == Operation.DENSE else 1
        found["second"] = 1 - ((values["blocks"] + 1) * lanes - 1) * values["destination_step"]
    return found


def _once(problems: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(problems))


def instruction_bytes(parameters: EngineParameters) -> int:
    """Of an instruction in the program memory."""
    return 4 * instruction_words(parameters)


__all__ = ["Instruction", "Operation", "Program", "compile_network", "instruction_bytes"]
