"""How long data are under way in an engine: what its cycles are counted with."""

from __future__ import annotations

from dataclasses import dataclass

from ..family import GENERIC, Family
from .instruction import instruction_rows
from .parameters import EngineParameters
from .rescale import Rows


@dataclass(frozen=True)
class Latencies:
    """The latencies of an engine's parts, of its parameters and family."""

    parameters: EngineParameters
    family: Family = GENERIC

    @property
    def address(self) -> int:
        """From a slot of :class:`~mbconv.hdl.engine.sequence.Sequence` to the addresses that it reads."""
        return 2 + self.parameters.spares

    @property
    def memory(self) -> int:
        return self.family.memory_latency

    @property
    def maps(self) -> int:
        """Of the map memory: with banks 1 (addresses); 2 spare, before a bank is chosen and behind the banks; 1 further
        where a bank's word is chosen."""
        p = self.parameters
        return self.memory + (p.banks > 1) + 2 * p.spares + p.further_spares

    @property
    def control(self) -> int:
        """From the end of an instruction to the start of the next: 1, the rows of an instruction, the memory."""
        return 1 + instruction_rows(self.parameters) + self.memory

    @property
    def array(self) -> int:
        """From the word of a block's last element to its sums: 1 (word), the multipliers, 1 (accumulator); 1 spare
        before the multipliers."""
        return 2 + self.family.multiplier_latency + self.parameters.further_spares

    @property
    def elementwise(self) -> int:
        """From a word to the sums of its table entries: 2 words after another, the tables, 1 (sum); with products their
        multipliers, and 1 (choice)."""
        return 3 + self.memory + (self.family.multiplier_latency if self.parameters.products else 0)

    @property
    def finish(self) -> int:
        """From a sum to its element: requantisation, zero point, limits; 1 spare before it, 1 where lanes join."""
        return Rows(self.parameters, self.family).latency + self.parameters.spare_registers

    @property
    def compute(self) -> int:
        """From a block's last element to the end of its instruction, less the cycles in which its results are
        requantised."""
        return self.address + self.maps + self.array + self.finish + 1

    @property
    def table(self) -> int:
        """The same of TABLE, from a word's first slot."""
        return self.address + self.maps + self.elementwise + self.finish + 1
