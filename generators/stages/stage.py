"""What a node of the network becomes: a circuit, its event model, and the periodic streams that feed it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from amaranth.lib.wiring import Component

from mbconv.hdl.cost import Cost, cost
from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.mac_parameters import DspShare, MacParameters
from mbconv.hdl.rom_source import RomSource

from ..constants.requantization import Requantization
from ..graph.shown import Shown

if TYPE_CHECKING:
    from ..timing.ports import StageTiming
    from .network import Node


@dataclass(frozen=True, eq=False)
class WindowSize:
    """How the window of a circuit is sized, once the schedule has counted what it must hold.

    Attributes:
        capacity: from a number of pixels to the least capacity with a place for each.
        parameters: what the circuit with a window of a capacity is made of.
    """

    capacity: Callable[[int], int]
    parameters: Callable[[int], Any]


def the_circuit(circuit: Component) -> Component:
    """The circuit of a stage that is made of nothing but itself."""
    return circuit


@dataclass(frozen=True, eq=False)
class Stage(Shown):
    """A circuit in the place of a node.

    Attributes:
        parameters: what the circuit is made of, which knows its multipliers and memory without its being made; where
            that saves nothing, the circuit itself.
        inputs: the circuit's ports that read the node's input tensors, in order; its output port is ``o``.
        sources: for each of its further input ports the words of a period, in the bits of the port's payload.
        timing: its event model, with a window without limit.
        cycles: that its busiest resource needs for a frame.
        requantization: its constants and their proof, where it has any.
        window: where it has one, what a capacity makes of it.
        mac: where it multiplies and accumulates, the parameters of that.
        with_dsp: the stage with another share of an FPGA's DSP blocks, where it has any use for them.
        repeats: of its further input ports, which words come several times over, as
            :class:`~mbconv.hdl.rom_source.RomSource` has them; none where not said.
        rom_pieces: of its further input ports, in how many pieces their words are read; one where not said.
        make: makes the circuit of its parameters; :attr:`component` is the one that it made.
    """

    node: Node
    parameters: Any
    inputs: tuple[str, ...]
    timing: StageTiming
    cycles: int
    sources: dict[str, Sequence[int]] = field(default_factory=dict)
    requantization: Requantization | None = None
    window: WindowSize | None = None
    mac: MacParameters | None = None
    with_dsp: Callable[[DspShare], Stage] | None = None
    repeats: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)
    rom_pieces: Mapping[str, int] = field(default_factory=dict)
    make: Callable[[Any], Component] = the_circuit

    def shown(self) -> dict[str, object]:
        return {"": self.name, "multipliers": self.multipliers, "cycles": self.cycles}

    @property
    def name(self) -> str:
        return self.node.name

    @cached_property
    def component(self) -> Component:
        """The circuit, made when it is first asked for: one with a window after its window was sized."""
        return self.make(self.parameters)

    def rom_sources(self, family: Family = GENERIC) -> dict[str, RomSource]:
        """The memories that its periodic streams come from, by its ports."""
        members = self.component.signature.members
        return {
            port: RomSource(
                members[port].signature.members["payload"].shape,
                words,
                f"{self.name}_{port}",
                self.rom_pieces.get(port, 1),
                self.repeats.get(port, ()),
                family=family,
            )
            for port, words in self.sources.items()
        }

    def cost(self, family: Family = GENERIC) -> Cost:
        """What it takes, memories of its periodic streams included."""
        return cost(self.component, self.rom_sources(family))

    def least_cost(self, family: Family = GENERIC) -> Cost:
        """What it takes at least, memories of periodic streams included, whatever its window must hold.

        A window is counted in the least size that works, without memories that become block RAM instead when it grows.
        """
        found = self.cost(family)
        if self.window is None:
            return found
        return replace(found, memories=tuple(m for m in found.memories if not m.may_move(family)))

    def with_capacity(self, capacity: int) -> Stage:
        """The stage with a window of so many pixels; asked only of one that has a window."""
        assert self.window is not None
        return replace(self, parameters=self.window.parameters(capacity))

    def with_rom_pieces(self, pieces: Mapping[str, int]) -> Stage:
        """The stage, its circuit the same, with words that are read in pieces."""
        return replace(self, make=lambda _: self.component, rom_pieces=pieces)

    @property
    def multipliers(self) -> int:
        return getattr(self.parameters, "multipliers", 0)

    @property
    def source_bits(self) -> int:
        """Bits of the memories that its periodic streams come from."""
        return sum(len(words) * self.parameters.source_bits[port] for port, words in self.sources.items())

    @property
    def memory_bits(self) -> int:
        """All its memory, in the circuit and behind its periodic streams."""
        return self.source_bits + getattr(self.parameters, "memory_bits", 0)
