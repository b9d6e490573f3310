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
from .cycles import instruction_cycles
from .layers import Layer, Lowering
from .layout import Lifetime, StoredMap, place


@dataclass(frozen=True, eq=False)
class Instruction:
    """An instruction of a program.

    Attributes:
        values: all its fields.
        written: the map that it writes; None for OUTPUT.
        cycles: from the end of the one before to its own, exactly, where nothing outside waits.
    """

    layer: Layer
    values: dict[str, int]
    written: StoredMap | None
    cycles: int

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
        weights: int64 ``[words][channels]``; constants: a word for each channel; tables: pairs.
        interval: cycles from a frame's last byte out to the next one's, where input waits and output does not.
    """

    parameters: EngineParameters
    network: Network
    instructions: tuple[Instruction, ...]
    memories: dict[str, int]
    weights: np.ndarray
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


def compile_network(graph: Graph, parameters: EngineParameters, family: Family = GENERIC) -> Program:
    """Compile a graph for an engine.

    Args:
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
    return _Assembly(lowering, [*inputs, *layers, *outputs], Latencies(parameters, family)).program()


class _Assembly:
    """A program being put together."""

    def __init__(self, lowering: Lowering, layers: list[Layer], engine: Latencies) -> None:
        self.lowering, self.layers, self.engine = lowering, layers, engine
        self.parameters = engine.parameters
        self.weights: list[np.ndarray] = []
        self.constants: list[int] = []
        self.tables: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        self.addresses = self._addresses()

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
        found, problems = [], []
        for number, layer in enumerate(self.layers):
            try:
                found.append(self._instruction(layer, last=number + 1 == len(self.layers)))
            except ValueError as error:
                problems.append(f"{layer.name}: {error}")
        p = self.parameters
        words = sum(map(len, self.weights))
        used = {
            "map_words": self.map_words,
            "weight_words": words,
            "constant_words": len(self.constants) // p.requantizers,
            "tables": len(self.tables),
            "instructions": len(self.layers),
        }
        largest = max(found, key=lambda one: one.weight_bytes, default=None)
        for name, count in used.items():
            if count > getattr(p, name):
                more = ""
                if name == "weight_words" and largest is not None:
                    more = (
                        f" ({words * p.channels:,} bytes, of which {largest.name} needs {largest.weight_bytes:,}); "
                        "weights from outside the chip are not supported yet"
                    )
                problems.append(f"it needs {name} = {count:,}, the engine has {getattr(p, name):,}{more}")
        if problems:
            raise GraphError("\n  ".join([f"{self.lowering.graph.name} does not fit the engine:", *problems]))
        weights = np.concatenate(self.weights) if self.weights else np.zeros((0, p.channels), np.int64)
        return Program(p, self.lowering.network, tuple(found), used, weights, self.constants, self.tables)

    def _instruction(self, layer: Layer, *, last: bool) -> Instruction:
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
        if layer.weights is not None:
            values["weights"] = sum(map(len, self.weights)) % (1 << (p.weight_words - 1).bit_length())
            self.weights.append(layer.weights)
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
        written = None if layer.writes is None else self.lowering.map(layer.writes)
        return Instruction(layer, values, written, instruction_cycles(self.engine, values))

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
