"""From a graph to a program: the order of its instructions, addresses, memories' contents, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

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
from ..stages.network import Node, build_network
from .copies import without_copies
from .cycles import FrameClock
from .joins import Joins
from .layer import Layer
from .layers import Lowering
from .memory_timing import MemoryTiming
from .order import Ordered
from .overlap import Part
from .pair_layers import extremum_layers
from .parts import average_layers, concatenate_layers, mean_layers, pad_layers, resize_layers, slice_layers
from .program import Instruction, Program
from .repeats import Repeats
from .segments import Piece
from .streams import stream_places
from .vectors import product_layers


def _one_layer(lowering: Lowering, node: Node) -> list[Layer]:
    return [lowering.layer(node)]


SEVERAL_LAYERS: dict[str, Callable[[Lowering, Node], list[Layer]]] = {
    "multiply": product_layers,
    "extremum": extremum_layers,
    "slice": slice_layers,
    "pad": pad_layers,
    "concatenate": concatenate_layers,
    "resize": resize_layers,
    "window_average": average_layers,
    "pool": mean_layers,
}
"""Of circuits that take more than one instruction; of all others ``Lowering.layer`` makes one."""


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
    for rewriting in (Repeats, Joins):
        graph = rewriting(graph, parameters).graph
    network, meant = without_copies(build_network(graph))
    lowering = Lowering(network, parameters, meant)
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


class _Assembly(Ordered):
    """A program being put together."""

    def __init__(self, lowering: Lowering, layers: list[Layer], engine: Latencies, timing: MemoryTiming | None) -> None:
        turned = [_turned(layer, before) for layer, before in zip(layers, [None, *layers[:-1]], strict=True)]
        super().__init__(lowering, turned, engine, timing)
        self.streamed_words = 0
        self.constants: list[int] = []
        self.first_constants: dict[int, int] = {}  # by layer
        self.tables: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def _streams(self) -> dict[Part, np.ndarray]:
        """The weights that come through the port for each part of the program."""
        streamed = {number: self._streamed_array(number) for number in self._streamed_layers()}

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
            "tables": len(self.tables) + bool(self.loaded),
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
            if piece.layer in groups:
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
        return [number for number in range(len(self.layers)) if self._comes(number, self.resident)]

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
        if layer.weights is not None or piece.layer in self.loaded:
            values |= self._place_weights(piece.layer)
        if layer.constants and (layer.tables is not None or not values.get("streamed")):
            if piece.layer not in self.first_constants:
                self.first_constants[piece.layer] = self._constants(layer)
            values["constants"] = self.first_constants[piece.layer] % (1 << (p.constant_words - 1).bit_length())
        if piece.layer in self.loaded:
            values["table"] = p.tables - 1
        elif layer.tables is not None:
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
                layer.writes, offset + piece.groups[0] + layer.behind, piece.first
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

    def _streamed_array(self, number: int) -> np.ndarray:
        """The words of a layer that come through the port: the constants of each group, then its weights; or its
        tables."""
        p, layer = self.parameters, self.layers[number]
        if layer.tables is not None:
            mask = (1 << p.table_bits) - 1
            entries = [entry & mask for pair in zip(*layer.tables, strict=True) for entry in pair]
            words = pack_records(entries, p.table_bits, 2)
            return np.array([_elements(word, p.channels, p.weight_bits) for word in words], np.int64)
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
