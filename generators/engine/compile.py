"""From a graph to a program: the order of its instructions, addresses, memories' contents, and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mbconv.hdl.engine.instruction import Operation, instruction_words, pack_instruction
from mbconv.hdl.engine.latencies import Latencies
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.hdl.family import GENERIC, Family

from ..graph.graph import Graph, GraphError
from ..stages.network import Network, build_network
from .cycles import FrameClock
from .layers import Layer, Lowering
from .layout import Lifetime, StoredMap, place
from .memory_timing import MemoryTiming


@dataclass(frozen=True, eq=False)
class Instruction:
    """An instruction of a program.

    Attributes:
        values: all its fields.
        written: the map that it writes; None for OUTPUT.
        cycles: from the end of the one before to its own, exactly, where nothing outside waits.
        waits: of them, those in which weights are waited for.
        fetched: bytes of weights that come through the port.
    """

    layer: Layer
    values: dict[str, int]
    written: StoredMap | None
    cycles: int
    waits: int = 0
    fetched: int = 0

    @property
    def name(self) -> str:
        return self.layer.name

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
        return sum(instruction.layer.macs for instruction in self.instructions)


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
    network = build_network(graph)
    lowering = Lowering(network, parameters)
    layers, problems = [], []
    for node in network.nodes:
        try:
            layers.append(lowering.layer(node))
        except GraphError as error:
            problems.append(str(error))
    if problems:
        raise GraphError("\n  ".join([f"{graph.name} cannot be compiled for the engine:", *problems]))
    inputs, outputs = lowering.ports()
    return _Assembly(lowering, [*inputs, *layers, *outputs], Latencies(parameters, family), timing).program()


class _Assembly:
    """A program being put together."""

    def __init__(self, lowering: Lowering, layers: list[Layer], engine: Latencies, timing: MemoryTiming | None) -> None:
        self.lowering, self.layers, self.engine, self.timing = lowering, layers, engine, timing
        self.parameters = p = engine.parameters
        self.resident: list[np.ndarray] = []
        self.streamed: list[np.ndarray] = []
        self.constants: list[int] = []
        self.tables: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        words = [len(layer.weights) for layer in layers if layer.weights is not None]
        self.streams = bool(p.port_bytes) and sum(words) > p.weight_words
        still = sum(len(layer.weights) for layer in layers if self._stays(layer))
        self.ring = still if self.streams else 0
        if self.streams and timing is None:
            raise GraphError(
                f"the weights of {lowering.graph.name} come from outside the chip: say how fast, with memory_bytes=1/2 "
                "bytes a cycle, for example"
            )
        self.addresses = self._addresses()

    def _stays(self, layer: Layer) -> bool:
        """A layer's weights are in the memory from the upload on."""
        return layer.weights is not None and (not self.streams or bool(layer.values.get("still_weights")))

    def _addresses(self) -> dict[int, int]:
        written = {layer.writes: time for time, layer in enumerate(self.layers) if layer.writes is not None}
        read = dict(written)
        for time, layer in enumerate(self.layers):
            read |= dict.fromkeys(layer.reads, time)
        lifetimes = [Lifetime(self.lowering.map(tensor), time, read[tensor]) for tensor, time in written.items()]
        names = {time: layer.name for time, layer in enumerate(self.layers)}
        self.map_words = max((life.map.words for life in lifetimes), default=0)
        addresses = place(lifetimes, self.parameters.map_words, names)
        self.map_words = max(addresses[life.map.tensor.index] + life.map.words for life in lifetimes)
        return addresses

    def program(self) -> Program:
        made: list[tuple[Layer, dict[str, int]]] = []
        problems = []
        for number, layer in enumerate(self.layers):
            try:
                made.append((layer, self._values(layer, first=not number, last=number + 1 == len(self.layers))))
            except ValueError as error:
                problems.append(f"{layer.name}: {error}")
        p = self.parameters
        resident, streamed = (
            np.concatenate(parts) if parts else np.zeros((0, p.channels), np.int64)
            for parts in (self.resident, self.streamed)
        )
        used = {
            "map_words": self.map_words,
            "weight_words": len(resident) + max((self._group_words(layer) for layer, _ in made), default=0),
            "constant_words": len(self.constants) // p.requantizers,
            "tables": len(self.tables),
            "instructions": len(self.layers),
        }
        for name, count in used.items():
            if count > getattr(p, name):
                more = self._largest() if name == "weight_words" else ""
                problems.append(f"it needs {name} = {count:,}, the engine has {getattr(p, name):,}{more}")
        if problems:
            raise GraphError("\n  ".join([f"{self.lowering.graph.name} does not fit the engine:", *problems]))
        clock = FrameClock(self.engine, self.timing, len(streamed), p.weight_words - self.ring)
        instructions = []
        for layer, values in made:
            cycles, waits = clock.add(values)
            written = None if layer.writes is None else self.lowering.map(layer.writes)
            fetched = len(layer.weights) * p.word_beats * p.port_bytes if values.get("streamed") else 0
            instructions.append(Instruction(layer, values, written, cycles, waits, fetched))
        return Program(
            p, self.lowering.network, tuple(instructions), used, resident, streamed, self.timing, self.constants,
            self.tables,
        )  # fmt: skip

    def _group_words(self, layer: Layer) -> int:
        """Words of the ring that a group of channels needs; 0 where the weights stay."""
        if layer.weights is None or self._stays(layer):
            return 0
        return len(layer.weights) // (layer.values.get("groups", 0) + 1)

    def _largest(self) -> str:
        """What needs most of the weight memory, and what would help."""
        p = self.parameters
        if self.streams:
            largest = max(self.layers, key=self._group_words)
            return (
                f": {p.channels} channels of {largest.name} have {self._group_words(largest):,} words, which are used "
                "together"
            )
        weights = {layer.name: layer.weights for layer in self.layers if layer.weights is not None}
        name = max(weights, key=lambda one: weights[one].size)
        total = sum(found.size for found in weights.values())
        return (
            f" ({total:,} bytes, of which {name} needs {weights[name].size:,}); with port_bytes=1 weights come from a "
            "memory outside the chip"
        )

    def _values(self, layer: Layer, *, first: bool, last: bool) -> dict[str, int]:
        """All fields of an instruction; its weights, constants and tables join the others."""
        p = self.parameters
        values = dict.fromkeys(("words", "tail", "rows", "columns", "blocks", "groups", "binary"), 0)
        values |= layer.values | {"last": int(last)}
        map_words = 1 << (p.map_words - 1).bit_length()
        if layer.reads:
            source = self.addresses[layer.reads[0]]
            values["source"] = (source - layer.before) % map_words
            if len(layer.reads) > 1:
                values["second"] = (self.addresses[layer.reads[1]] - source) % map_words
        if layer.writes is not None:
            values["destination"] = self.addresses[layer.writes]
        if first:
            values["weights"] = self.ring
        if layer.weights is not None:
            values |= self._place_weights(layer)
        if layer.constants:
            values["constants"] = self._constants(layer) % (1 << (p.constant_words - 1).bit_length())
        if layer.tables is not None:
            if layer.tables not in self.tables:
                self.tables.append(layer.tables)
            values["table"] = self.tables.index(layer.tables) % (1 << (p.tables - 1).bit_length())
        # what steps beyond the memory's address goes round it, as the circuit's sums do
        for step in ("pixel_step", "row_step", "tap_step", "tap_row_step", "destination_step"):
            values[step] = values.get(step, 0) % map_words
        pack_instruction(p, values)
        return values

    def _place_weights(self, layer: Layer) -> dict[str, int]:
        """Put a layer's weights behind the others that stay, or that are streamed."""
        p = self.parameters
        assert layer.weights is not None
        if self._stays(layer):
            place = sum(map(len, self.resident))
            self.resident.append(layer.weights)
            return {"weights": place % (1 << (p.weight_words - 1).bit_length())}
        room = p.weight_words - self.ring
        place = self.ring + sum(map(len, self.streamed)) % max(1, room)
        self.streamed.append(layer.weights)
        return {"weights": place % (1 << (p.weight_words - 1).bit_length()), "streamed": 1}

    def _constants(self, layer: Layer) -> int:
        """Put a layer's constants behind the others, as many for each group as it has channels; their first word."""
        p = self.parameters
        first = len(self.constants) // p.requantizers
        words = list(layer.constants)
        size = p.requantizers if layer.values.get("still_constants") else p.channels
        if len(words) == 1 and layer.values.get("still_constants"):
            words *= size
        self.constants += [*words, *[0] * (-len(words) % size)]
        return first


def instruction_bytes(parameters: EngineParameters) -> int:
    """Of an instruction in the program memory."""
    return 4 * instruction_words(parameters)


__all__ = ["Instruction", "Operation", "Program", "compile_network", "instruction_bytes"]
