"""From a graph to a program: the order of its instructions, addresses, memories' contents, and how long it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from mbconv.hdl.family import GENERIC, Family

from ..constants.weights import pack_records
from ..graph.graph import Graph, GraphError
from ..stages.network import Network, Node, build_network
from .copies import without_copies
from .cycles import FrameClock, instruction_cycles
from .layers import Layer, Lowering
from .layout import StoredMap
from .memory_timing import MemoryTiming
from .ranges import range_values
from .segments import Piece, Segment, arrange
from .vectors import product_layers


def _one_layer(lowering: Lowering, node: Node) -> list[Layer]:
    return [lowering.layer(node)]


_SEVERAL_LAYERS: dict[str, Callable[[Lowering, Node], list[Layer]]] = {"multiply": product_layers}
"""Of circuits that take more than one instruction; of all others ``Lowering.layer`` makes one."""

_HIDDEN = 0.75
"""Of a segment's cycles: so long may the port fetch its weights again, and be ahead of it all the same."""


@dataclass(frozen=True, eq=False)
class Instruction:
    """An instruction of a program.

    Attributes:
        values: all its fields.
        written: the map that it writes; None for OUTPUT, and for one that writes weights.
        cycles: from the end of the one before to its own, exactly, where nothing outside waits.
        waits: of them, those in which weights are waited for.
        fetched: bytes of weights that come through the port.
        rows: of the map, the first and the one behind the last; (0, 0) of a map that has none.
        ring: words of the ring that it writes into; 0: it is none.
    """

    layer: Layer
    values: dict[str, int]
    written: StoredMap | None
    cycles: int
    waits: int = 0
    fetched: int = 0
    rows: tuple[int, int] = (0, 0)
    ring: int = 0

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def writes_weights(self) -> bool:
        return bool(self.values.get("to_weights"))

    @property
    def weight_bytes(self) -> int:
        return 0 if self.layer.weights is None else self.layer.weights.size


@dataclass(frozen=True, eq=False)
class Program:
    """A network for engines of some parameters.

    Attributes:
        instructions: of a frame, in order.
        memories: by the name of the engine's parameter, words that are used.
        weights: int64 ``[words][channels]``, those that are uploaded; streamed: those that come through the port in
            every frame, in their order.
        timing: of the memory behind the port; constants: a word for each channel; tables: pairs.
        interval: cycles from a frame's last byte out to the next one's, where input waits and output does not.
    """

    parameters: EngineParameters
    network: Network
    instructions: tuple[Instruction, ...]
    memories: dict[str, int]
    weights: np.ndarray
    streamed: np.ndarray
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
    def cycles(self) -> int:
        """From the cycle in which a frame's first byte is offered to the one in which its last is taken."""
        return sum(instruction.cycles for instruction in self.instructions)

    @property
    def interval(self) -> int:
        return self.cycles + 1

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
            layers += _SEVERAL_LAYERS.get(node.kind, _one_layer)(lowering, node)
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
        self.streamed: list[np.ndarray] = []
        self.constants: list[int] = []
        self.first_constants: dict[int, int] = {}  # by layer
        self.tables: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        words = [len(layer.weights) for layer in layers if layer.weights is not None]
        self.streams = bool(p.port_bytes) and sum(words) > p.weight_words
        if self.streams and timing is None:
            raise GraphError(
                f"the weights of {lowering.graph.name} come from outside the chip: say how fast, with memory_bytes=1/2 "
                "bytes a cycle, for example"
            )
        self.placed = arrange(self.layers, lowering.map, p.map_words, self._cost, bool(p.ranges))
        self._keep()

    def _cost(self, segment: Segment) -> int:
        """Cycles of a segment, but for what is waited for."""
        return sum(instruction_cycles(self.engine, self._fields(piece, last=False)) for piece in segment.pieces)

    def _fields(self, piece: Piece, *, last: bool) -> dict[str, int]:
        """The fields of an instruction that are no addresses."""
        layer = self.layers[piece.layer]
        values = dict.fromkeys(("words", "tail", "rows", "columns", "taps", "blocks", "groups", "binary"), 0)
        return values | range_values(self.parameters, layer, piece.first, piece.end) | {"last": int(last)}

    def _keep(self) -> None:
        """Choose the layers whose weights stay: all that fit; else those that instructions write, those of one word,
        and of layers in several pieces as many as it takes that the others are fetched while they compute."""
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
            for segment in self.placed.segments:
                for number in self._worth_keeping(segment, [number for number in weighted if number not in chosen]):
                    if self._weight_words(number) <= room:
                        chosen.add(number)
                        room -= self._weight_words(number)
        self.ring = 0
        for number in weighted:
            if number in chosen:
                self.resident[number] = self.ring
                self.resident_words.append(self._weights(number))
                self.ring += self._weight_words(number)
        if not self.streams:
            self.ring = 0

    def _worth_keeping(self, segment: Segment, layers: list[int]) -> list[int]:
        """Layers of a segment of several steps whose weights, fetched again for each, would take longer than it
        computes: those first that save most for what they take."""
        counts = Counter(piece.layer for piece in segment.pieces)
        inside = [number for number in layers if counts[number] > 1]
        if not inside or self.timing is None:
            return []
        p = self.parameters
        word_cycles = p.word_beats * self.timing.period(p.port_bytes)
        fetched = {
            number: counts[number] * self._groups(number) * self._streamed_words(number) * word_cycles
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

    def _group_words(self, number: int) -> int:
        """Words of weights that are used together: those of a group of channels."""
        return self._weight_words(number) // self._groups(number)

    def _groups(self, number: int) -> int:
        """Groups of channels of a layer."""
        return self.layers[number].values.get("groups", 0) + 1

    def _streamed_words(self, number: int) -> int:
        """Words of a group of channels that come through the port: its constants, its weights."""
        return self.parameters.constant_stream_words + self._group_words(number)

    def program(self) -> Program:
        made: list[tuple[Piece, dict[str, int]]] = []
        problems = []
        pieces = [piece for segment in self.placed.segments for piece in segment.pieces]
        for place, piece in enumerate(pieces):
            try:
                made.append((piece, self._values(piece, first=not place, last=place + 1 == len(pieces))))
            except ValueError as error:
                problems.append(f"{self.layers[piece.layer].name}: {error}")
        p = self.parameters
        resident, streamed = (
            np.concatenate(parts) if parts else np.zeros((0, p.channels), np.int64)
            for parts in (self.resident_words, self.streamed)
        )
        groups = {number: self._streamed_words(number) for number in self._streamed_layers()}
        used = {
            "map_words": self.placed.words,
            "weight_words": len(resident) + max(groups.values(), default=0),
            "constant_words": len(self.constants) // p.requantizers + p.constants_in_turn,
            "tables": len(self.tables),
            "instructions": len(pieces),
        }
        for name, count in used.items():
            if count > getattr(p, name):
                more = self._largest(groups) if name == "weight_words" else ""
                problems.append(f"it needs {name} = {count:,}, the engine has {getattr(p, name):,}{more}")
        if problems:
            raise GraphError("\n  ".join([f"{self.lowering.graph.name} does not fit the engine:", *_once(problems)]))
        clock = FrameClock(self.engine, self.timing, len(streamed), p.weight_words - self.ring)
        instructions = []
        for place, (piece, values) in enumerate(made):
            layer = self.layers[piece.layer]
            fields = self._fields(piece, last=place + 1 == len(made)) | values
            cycles, waits = clock.add(fields)
            written = None if layer.writes is None else self.lowering.map(layer.writes)
            ring = 0 if layer.writes is None else self.placed.areas[layer.writes].ring
            fetched = 0
            if values.get("streamed") and layer.weights is not None:
                words = self._groups(piece.layer) * self._streamed_words(piece.layer)
                fetched = words * p.word_beats * p.port_bytes
            rows = (piece.first, piece.end)
            instructions.append(Instruction(layer, values, written, cycles, waits, fetched, rows, ring))
        return Program(
            p, self.lowering.network, tuple(instructions), used, resident, streamed, self.timing, self.constants,
            self.tables,
        )  # fmt: skip

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
        # what steps beyond the memory's address goes round it, as the circuit's sums do
        for step in [name for name in values if name.endswith("_step")]:
            values[step] %= 1 << (p.map_words - 1).bit_length()
        # engines of one pixel in DEPTHWISE, or of whole maps, have fewer fields
        known = instruction_layout(p).members
        spare = (*LANE_FIELDS, *RANGE_FIELDS, "to_weights")
        values = {name: value for name, value in values.items() if name in known or name not in spare}
        pack_instruction(p, values)
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
            values["destination"], values["destination_ring"] = place(layer.writes, offset, piece.first)
        return values

    def _place_weights(self, number: int) -> dict[str, int]:
        """Where a layer's weights are; those that are streamed join the others."""
        p = self.parameters
        if number in self.resident:
            return {"weights": self.resident[number] % (1 << (p.weight_words - 1).bit_length())}
        room = p.weight_words - self.ring
        place = self.ring + sum(map(len, self.streamed)) % max(1, room)
        self.streamed.append(self._with_constants(number))
        return {"weights": place % (1 << (p.weight_words - 1).bit_length()), "streamed": 1}

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


def _once(problems: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(problems))


def instruction_bytes(parameters: EngineParameters) -> int:
    """Of an instruction in the program memory."""
    return 4 * instruction_words(parameters)


__all__ = ["Instruction", "Operation", "Program", "compile_network", "instruction_bytes"]
