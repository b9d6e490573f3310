"""What a circuit of a cost takes of a device: multipliers, block RAMs and LUTs.

Costs come from the circuits (:mod:`mbconv.hdl.cost`); a device decides which memories are block RAM, how many blocks
each takes, and which products find a DSP block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mbconv.hdl.cost import Cost, MemoryCost

from .device import Device


@dataclass(frozen=True)
class Resources:
    """A cost on a device."""

    cost: Cost
    device: Device

    @property
    def multipliers(self) -> int:
        return self.cost.multipliers

    @property
    def block_rams(self) -> int:
        """Blocks of all memories that LUTs or registers do not hold, each in blocks of its own."""
        return block_rams(self.cost.memories, self.device)

    @property
    def luts(self) -> int:
        """Estimated LUTs, memories without block RAM and products without a DSP block included."""
        family = self.device.circuits
        memories = sum(memory.luts(family) for memory in self.cost.memories if not memory.in_block_ram(family))
        return self.cost.logic + memories + self.products_in_luts * self.device.dsp.product_luts

    @property
    def products_in_luts(self) -> int:
        """Products that are meant for no DSP block, or for which the device has none left."""
        return sum(array.count for array in self.cost.products) - sum(inside for inside, _ in self._inside())

    @property
    def dsp_blocks(self) -> int:
        """The DSP blocks that products take."""
        return sum(blocks for _, blocks in self._inside())

    def _inside(self) -> Iterator[tuple[int, int]]:
        """Of each array the products in DSP blocks, and the blocks: where a block gives several products, an odd number
        leaves part of one unused."""
        left = self.device.dsp_blocks
        for array in self.cost.products:
            together = self.device.products_of_a_block(array.a_width, array.b_width)
            inside = min(array.count if array.dsp is None else array.dsp, left * together)
            blocks = -(-inside // together) if inside else 0
            left -= blocks
            yield inside, blocks


def block_rams(memories: Iterable[MemoryCost], device: Device) -> int:
    """Blocks of memories that LUTs or registers do not hold, each in blocks of its own."""
    in_blocks = (memory for memory in memories if memory.in_block_ram(device.circuits))
    return sum(device.block_ram.blocks(memory.width, memory.depth) for memory in in_blocks)
