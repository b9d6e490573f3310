"""Boards with FPGAs that free tools build for: what a plan may use of each.

Counts of block RAMs, multipliers and LUTs are those that nextpnr 0.11.1 reports for the device (``--pack-only``, seen
in November 2026), except where a device's ``source`` says otherwise. Which device is on which board is the board
maker's own statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from ..graph.graph import GraphError
from .tiling import tile


@dataclass(frozen=True)
class BlockRam:
    """A kind of block RAM: the (width, depth) in which one of its ports writes and the other reads."""

    name: str
    shapes: tuple[tuple[int, int], ...]

    def blocks(self, width: int, depth: int) -> int:
        """The fewest blocks of a memory of ``depth`` words of ``width`` bits, as :func:`.tiling.tile` cuts it."""
        return sum(segment.blocks for segment in tile(self.shapes, width, depth))


DP16KD = BlockRam("DP16KD", ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)))
ICE40_RAM = BlockRam("SB_RAM40_4K", ((16, 256), (8, 512), (4, 1024), (2, 2048)))
NEXUS_EBR = BlockRam("EBR", ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)))
BSRAM = BlockRam("BSRAM", ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)))


@dataclass(frozen=True)
class DspBlock:
    """A kind of DSP block.

    Attributes:
        products: (bits of one operand, bits of the other, products): how many products of at most so many bits a block
            gives a cycle, the most first.
    """

    name: str
    products: tuple[tuple[int, int, int], ...]

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
        distributed: whether a table can be 16 bits of RAM.
    """

    name: str
    family: str
    dsp_blocks: int
    dsp: DspBlock
    block_ram: BlockRam
    block_rams: int
    luts: int
    distributed: bool = True

    @property
    def multipliers(self) -> int:
        """Products of two 8-bit numbers that the DSP blocks give a cycle."""
        return self.dsp_blocks * self.dsp.products_of(8, 8)

    def products_of_a_block(self, a_width: int, b_width: int) -> int:
        return self.dsp.products_of(a_width, b_width)


MULT18X18D = DspBlock("MULT18X18D", ((18, 18, 1),))
SB_MAC16 = DspBlock("SB_MAC16", ((8, 8, 2), (16, 16, 1)))
MULT9X9 = DspBlock("MULT9X9", ((9, 9, 1),))
MULT9 = DspBlock("MULT9", ((9, 9, 1),))


def _ecp5(name: str, multipliers: int, block_rams: int, luts: int) -> Device:
    return Device(name, "ECP5", multipliers, MULT18X18D, DP16KD, block_rams, luts)


ECP5_12 = _ecp5("LFE5U-12F", 28, 56, 24_288)  # the die of the 25F, which the free tools use in full
ECP5_25 = _ecp5("LFE5U-25F", 28, 56, 24_288)
ECP5_45 = _ecp5("LFE5U-45F", 72, 108, 43_848)
ECP5_85 = _ecp5("LFE5U-85F", 156, 208, 83_640)
ECP5_85_5G = _ecp5("LFE5UM5G-85F", 156, 208, 83_640)
ECP5_45_5G = _ecp5("LFE5UM5G-45F", 72, 108, 43_848)
UP5K = Device("iCE40UP5K", "iCE40", 8, SB_MAC16, ICE40_RAM, 30, 5_280, distributed=False)
GW1NR_9 = Device("GW1NR-9", "Gowin", 40, MULT9X9, BSRAM, 26, 8_640)
GW2AR_18 = Device("GW2AR-18", "Gowin", 96, MULT9X9, BSRAM, 46, 20_736)
GW2A_18 = Device("GW2A-18", "Gowin", 96, MULT9X9, BSRAM, 46, 20_736)
LIFCL_17 = Device("LIFCL-17", "Nexus", 48, MULT9, NEXUS_EBR, 24, 13_824)
LIFCL_40 = Device("LIFCL-40", "Nexus", 112, MULT9, NEXUS_EBR, 84, 32_256)
LFCPNX_100 = Device("LFCPNX-100", "Nexus", 312, MULT9, NEXUS_EBR, 208, 79_872)


@dataclass(frozen=True)
class Board:
    """A board by the name that a user gives."""

    name: str
    title: str
    device: Device

    def __str__(self) -> str:
        device = self.device
        return (
            f"{self.title} ({device.name}: {device.multipliers} multipliers, {device.block_rams} "
            f"{device.block_ram.name}, {device.luts:,} LUTs)"
        )


BOARDS = tuple(
    Board(name, title, device)
    for name, title, device in (
        ("ulx3s-12f", "ULX3S 12F", ECP5_12),
        ("ulx3s-25f", "ULX3S 25F", ECP5_25),
        ("ulx3s-45f", "ULX3S 45F", ECP5_45),
        ("ulx3s-85f", "ULX3S 85F", ECP5_85),
        ("orangecrab-25f", "OrangeCrab 25F", ECP5_25),
        ("orangecrab-85f", "OrangeCrab 85F", ECP5_85),
        ("colorlight-i5", "Colorlight i5", ECP5_25),
        ("colorlight-i9", "Colorlight i9", ECP5_45),
        ("ecp5-evn", "ECP5 Evaluation Board", ECP5_85_5G),
        ("ecp5-versa-5g", "ECP5-5G Versa", ECP5_45_5G),
        ("icebreaker", "iCEBreaker", UP5K),
        ("icesugar", "iCESugar", UP5K),
        ("tang-nano-9k", "Tang Nano 9K", GW1NR_9),
        ("tang-nano-20k", "Tang Nano 20K", GW2AR_18),
        ("tang-primer-20k", "Tang Primer 20K", GW2A_18),
        ("crosslink-nx-evn", "CrossLink-NX Evaluation Board", LIFCL_40),
        ("certuspro-nx-evn", "CertusPro-NX Evaluation Board", LFCPNX_100),
    )
)


def find_board(name: str) -> Board:
    """The board of a name; case, spaces, ``-`` and ``_`` do not matter.

    Raises:
        GraphError: there is none; the message has the names that there are.
    """
    known = {_key(board.name): board for board in BOARDS}
    if _key(name) in known:
        return known[_key(name)]
    close = get_close_matches(_key(name), known, n=1)
    guess = f" (did you mean {known[close[0]].name}?)" if close else ""
    raise GraphError(f"there is no board {name!r}{guess}; the boards are {', '.join(board.name for board in BOARDS)}")


def _key(name: str) -> str:
    return "".join(character for character in name.lower() if character not in " -_")
