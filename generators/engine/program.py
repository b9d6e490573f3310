"""A compiled program: its instructions, what its memories hold, and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mbconv.hdl.engine.instruction import Operation
from mbconv.hdl.engine.parameters import EngineParameters

from ..graph.graph import Graph
from ..stages.network import Network
from .layer import Layer
from .layout import StoredMap
from .memory_timing import MemoryTiming
from .overlap import Part


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
