"""What a plan may use of an FPGA: counts of its blocks, and how memories and products fit them.

The planner is given a :class:`Device`; which there are, and on which boards, ``mbconv.fpga`` knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from mbconv.hdl.family import GENERIC, Family

from ..graph.shown import counted
from .tiling import tile


@dataclass(frozen=True)
class BlockRam:
    """A kind of block RAM: the (width, depth) in which one of its ports writes and the other reads."""

    name: str
    shapes: tuple[tuple[int, int], ...]

    def blocks(self, width: int, depth: int) -> int:
        """The fewest blocks of a memory of ``depth`` words of ``width`` bits, as :func:`.tiling.tile` cuts it."""
        return sum(segment.blocks for segment in tile(self.shapes, width, depth))


@dataclass(frozen=True)
class DspBlock:
    """A kind of DSP block.

    Attributes:
        products: (bits of one operand, bits of the other, products): how many products of at most so many bits a block
            gives a cycle, the most first.
        product_luts: of a product of 8 × 8 bits as rows of carry chains, where no block is left for it (estimated).
    """

    name: str
    products: tuple[tuple[int, int, int], ...]
    product_luts: int = 138

    def products_of(self, a_width: int, b_width: int) -> int:
        """The products that a block gives of operands of these widths, 0 where they are too wide."""
        return next((count for a, b, count in self.products if a_width <= a and b_width <= b), 0)


@dataclass(frozen=True)
class Device:
    """An FPGA.

    Attributes:
        dsp_blocks: how many blocks of the kind ``dsp``.
        block_rams: how many blocks of the kind ``block_ram``.
        luts: four-input tables.
        circuits: what circuits must know of its family.
        lut_share: of its tables, those that may be filled: a device filled further seldom places or routes.
    """

    name: str
    family: str
    dsp_blocks: int
    dsp: DspBlock
    block_ram: BlockRam
    block_rams: int
    luts: int
    circuits: Family = GENERIC
    lut_share: float = 0.9

    @property
    def fillable_luts(self) -> int:
        return int(self.luts * self.lut_share)

    @property
    def multipliers(self) -> int:
        """Products of two 8-bit numbers that the DSP blocks give a cycle."""
        return self.dsp_blocks * self.dsp.products_of(8, 8)

    def products_of_a_block(self, a_width: int, b_width: int) -> int:
        return self.dsp.products_of(a_width, b_width)


@dataclass(frozen=True)
class Board:
    """A board by the name that a user gives, with its FPGA."""

    name: str
    title: str
    device: Device

    def __str__(self) -> str:
        device = self.device
        return (
            f"{self.title} ({device.name}: {counted(device.multipliers, 'multiplier')}, {device.block_rams} "
            f"{device.block_ram.name}, {device.luts:,} LUTs)"
        )
