"""What circuits must know of the FPGA family that they are made for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """The facts about a family of FPGAs on which the shape and the cycles of a circuit depend.

    Circuits, cost model and schedule are given one, :data:`GENERIC` unless said otherwise; ``hdl`` itself knows no
    family. The instances stand beside the cells that they describe, in ``fpga/<family>``.

    Attributes:
        name: of the family, lower case, such as ``ecp5``.
        memory_latency: cycles from an address to its word in :class:`~mbconv.hdl.primitives.Ram` and
            :class:`~mbconv.hdl.primitives.Rom`: 1 for the memory alone, 2 with the output register that a block RAM
            needs to be fast.
        multiplier_latency: cycles from operands to their product in :class:`~mbconv.hdl.primitives.Multipliers`: 2 for
            registers before and behind the product, 3 with one inside as well.
        product_bits: of the widest operands, with a sign or without, that one multiplier cell takes.
        largest_distributed: words of the largest memory that is made of LUTs, where they can be that memory: constant
            words always, others only with ``distributed_ram``. Larger memories are block RAM.
        distributed_ram: LUTs can be written as memory.
        largest_rounded_memory: words of the largest memory whose depth is rounded up to a power of two where that makes
            an address a plain counter: up to there it takes no further block RAM.
        largest_register_queue: beats of the largest queue that is made of registers, one and a LUT for each bit. Longer
            queues are distributed RAM up to ``largest_distributed`` beats, where LUTs can be that, or block RAM.
        adders_between_registers: that a path may pass one after another: 1 where clocks are fast; more where a register
            costs a cell that the clock does not need.

    Raises:
        ValueError: a latency or a size for which no circuit is built.
    """

    name: str
    memory_latency: int = 2
    multiplier_latency: int = 3
    product_bits: int = 18
    largest_distributed: int = 32
    distributed_ram: bool = True
    largest_rounded_memory: int = 1024
    largest_register_queue: int = 2
    adders_between_registers: int = 1

    def __post_init__(self) -> None:
        for name, low, high in (
            ("memory_latency", 1, 2),
            ("multiplier_latency", 2, 3),
            ("product_bits", 2, 64),
            ("largest_distributed", 0, 1 << 16),
            ("largest_rounded_memory", 0, 1 << 20),
            ("largest_register_queue", 2, 1 << 16),
            ("adders_between_registers", 1, 64),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} of the family {self.name} is {low} to {high}, not {value}")

    def rounded_depth(self, depth: int) -> int:
        """The depth of a memory of at least so many words: a power of two where that costs nothing."""
        rounded = 1 << (depth - 1).bit_length()
        return rounded if rounded <= self.largest_rounded_memory else depth

    def queue_in_registers(self, depth: int) -> bool:
        """Whether a queue of so many beats is made of registers."""
        return depth <= self.largest_register_queue

    def queue_in_block_ram(self, depth: int) -> bool:
        """Whether a queue of so many beats is block RAM (otherwise registers or distributed RAM)."""
        return depth > max(self.largest_register_queue, self.largest_distributed if self.distributed_ram else 0)

    def queue_latency(self, depth: int) -> int:
        """Cycles from the beat that an empty queue of ``depth`` takes to the beat that it offers.

        A beat passes block RAM in a cycle to write it, the memory's latency, and a cycle for the registers in front.
        """
        return self.memory_latency + 2 if self.queue_in_block_ram(depth) else 1


GENERIC = Family("generic")
"""No family in particular: registers wherever a family has some, so that a circuit made for it suits all."""
