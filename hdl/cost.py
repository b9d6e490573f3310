"""What circuits take of an FPGA: memories, products, and an estimate of the tables of their logic.

Every circuit states what it takes itself as ``own_cost``, beside its own description; :func:`cost` adds what its parts
take. Memories are exact. Tables are a model, in four inputs, where a bit of an adder or of a two-way selection counts
as one; ``make area`` prints it beside what synthesis makes of whole circuits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amaranth.lib.wiring import Component

from .family import Family

LARGEST_IN_REGISTERS = 128
"""Up to so many bits a memory is made of registers where LUTs cannot be RAM."""


@dataclass(frozen=True)
class MemoryCost:
    """``depth`` words of ``width`` bits.

    ``constant`` ones are never written; ``read_at_once`` ones, of small queues, cannot be block RAM; ``in_registers``
    ones are a register and a table for each bit. ``columns`` of constant words are the bits that are neither the same
    in all words nor those of another column, which synthesis leaves out; by default all.
    """

    width: int
    depth: int
    constant: bool = False
    read_at_once: bool = False
    in_registers: bool = False
    columns: int | None = None

    @property
    def bits(self) -> int:
        return self.width * self.depth

    def in_block_ram(self, family: Family) -> bool:
        """Whether it becomes block RAM: constant words beyond what the family says, others too where LUTs can be RAM,
        else beyond what registers are made for."""
        if self.read_at_once or self.in_registers:
            return False
        if self.constant or family.distributed_ram:
            return self.depth > family.largest_distributed
        return self.bits > LARGEST_IN_REGISTERS

    def may_move(self, family: Family) -> bool:
        """Whether it would become block RAM if it were deeper."""
        movable = not (self.constant or self.read_at_once or self.in_registers)
        return movable and not self.in_block_ram(family)

    def luts(self, family: Family) -> int:
        """Estimated tables of a memory without block RAM: one for 16 bits, half as many again to write them, selections
        beyond 16 words; registers and their selections where tables cannot be RAM."""
        if self.in_registers:
            return self.bits
        if not self.constant and not family.distributed_ram:
            return self.width * (self.depth + (self.depth + 1) // 2)
        banks = -(-self.depth // 16)
        width = self.width if self.columns is None else self.columns
        return width * (2 * banks - 1) + (0 if self.constant else width * banks // 2)


@dataclass(frozen=True)
class Products:
    """``count`` products of operands of so many bits, which may share DSP blocks with each other and no others.

    ``dsp`` of them are meant for DSP blocks; None: as many as there are blocks for.
    """

    count: int
    a_width: int
    b_width: int
    dsp: int | None = None


@dataclass(frozen=True)
class Cost:
    """What a circuit takes.

    Attributes:
        logic: the estimated LUTs without those of memories and of products for which there is no DSP block.
        memories: every one of them.
        products: the products that a DSP block may compute, of each array and requantisation by itself.
        multipliers: those of multiply-accumulate arrays, which a plan counts.
    """

    logic: int = 0
    memories: tuple[MemoryCost, ...] = ()
    products: tuple[Products, ...] = ()
    multipliers: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.logic + other.logic,
            self.memories + other.memories,
            self.products + other.products,
            self.multipliers + other.multipliers,
        )

    @property
    def memory_bits(self) -> int:
        return sum(memory.bits for memory in self.memories)


NOTHING = Cost()
"""Of circuits that take what their parts do."""


def cost(*circuits: Any) -> Cost:
    """The cost of circuits and of all that they contain, each object once; also of lists and mappings of them.

    Raises:
        TypeError: a circuit does not state its own.
    """
    parts: dict[int, Component] = {}
    for circuit in circuits:
        _collect(circuit, parts)
    own = [_own_cost(part) for part in parts.values()]
    return Cost(
        sum(found.logic for found in own),
        tuple(memory for found in own for memory in found.memories),
        tuple(products for found in own for products in found.products),
        sum(found.multipliers for found in own),
    )


def _own_cost(part: Component) -> Cost:
    found = getattr(part, "own_cost", None)
    if not isinstance(found, Cost):
        raise TypeError(f"{type(part).__name__} does not say what it takes: it needs own_cost, a Cost")
    return found


def _collect(value: Any, parts: dict[int, Component]) -> None:
    """Every component that an object holds, itself included."""
    if isinstance(value, Component):
        if id(value) not in parts:
            parts[id(value)] = value
            for attribute in vars(value).values():
                _collect(attribute, parts)
    elif isinstance(value, dict):
        for item in value.values():
            _collect(item, parts)
    elif isinstance(value, list | tuple) and value and not isinstance(value[0], int | str):
        for item in value:
            _collect(item, parts)
