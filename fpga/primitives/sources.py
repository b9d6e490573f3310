"""A design's Verilog with a family's cells behind the names of the primitives."""

from __future__ import annotations

import re
from pathlib import Path

from mbconv.generators.graph.graph import GraphError
from mbconv.generators.planning.device import Device
from mbconv.hdl.cells import MultiplierCell
from mbconv.hdl.primitives import VERILOG_FOLDER
from mbconv.hdl.verilog import Verilog

from .memory import BlockRamCell, SinglePortCell, memory_modules

_FOLDER = Path(__file__).parent
GLOBAL_BUFFER = "global_buffer.v"


def cell_sources(
    verilog: Verilog, folder: Path, cell: BlockRamCell, device: Device, single_port: SinglePortCell | None = None
) -> dict[str, str]:
    """File name → text of all modules, ready for synthesis; nothing is read from memory files any more.

    Args:
        verilog: the design; its primitives are replaced by modules of the same names, ports and latencies.
        folder: of the family's files. ``multiply_dsp.v`` has its ``mbconv_multiply_dsp``, the products of a DSP block:
            how many of an instance's products are in blocks is what the design was made with
            (:mod:`mbconv.generators.planning.dsp_share`); the others are rows of carry chains. ``global_buffer.v``,
            where there is one, is its ``mbconv_global_buffer``, which is a wire elsewhere.
        cell: the family's block RAM.
        single_port: its memory blocks of one port, where it has some.
        device: how many DSP blocks there are and which memories are block RAM.

    Raises:
        GraphError: the design wants more DSP blocks than the device has: it was made for another, or for none.
    """
    wanted = sum(dsp_blocks(multiplier, device) for multiplier in verilog.multipliers)
    if wanted > device.dsp_blocks:
        raise GraphError(
            f"{verilog.top} wants {wanted:,} {device.dsp.name}, of which {device.name} has {device.dsp_blocks:,}: it "
            "was not made for this device (make_design's device)"
        )
    prefix = re.search(r"module (\w*)mbconv_multiply\b", verilog.primitives)[1]
    # A folder of memory files is no longer wanted: the contents are in the cells.
    text = re.sub(r'\.FILE\(\{\w+, ("[^"]*")\}\)', r".FILE(\1)", verilog.text)
    pairs = max((a for a, b, count in device.dsp.products if count == 2), default=0)
    wrapper = (_FOLDER / "multiply.v").read_text().replace("PAIR_WIDTH = 0", f"PAIR_WIDTH = {pairs}")
    wrapper = wrapper.replace("module mbconv_multiply #", f"module {prefix}mbconv_multiply #")
    buffer = folder / GLOBAL_BUFFER
    buffers = (buffer if buffer.exists() else VERILOG_FOLDER / f"mbconv_{GLOBAL_BUFFER}").read_text(encoding="utf-8")
    buffers = buffers.replace("module mbconv_", f"module {prefix}mbconv_")
    return {
        f"{verilog.top}.v": text,
        "multiply.v": wrapper,
        "multiply_dsp.v": (folder / "multiply_dsp.v").read_text(encoding="utf-8"),
        "multiply_rows.v": (_FOLDER / "multiply_rows.v").read_text(),
        "memory.v": memory_modules(verilog.memories, cell, device, prefix, single_port),
    } | ({GLOBAL_BUFFER: buffers} if "global_buffer" in verilog.kinds else {})


def dsp_blocks(cell: MultiplierCell, device: Device) -> int:
    """The DSP blocks that an instance takes."""
    together = device.products_of_a_block(cell.a_width, cell.b_width)
    return -(-cell.dsp_count // together) if together else cell.dsp_count
