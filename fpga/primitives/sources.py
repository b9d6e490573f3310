"""A design's Verilog with a family's cells behind the names of the primitives."""

from __future__ import annotations

import re
from pathlib import Path

from mbconv.generators.planning.device import Device
from mbconv.hdl.verilog import Verilog

from .memory import BlockRamCell, memory_modules

_MULTIPLY = re.compile(r"\b(\w*mbconv_multiply)\s*#\s*\((.*?)\)\s*(?=(?:\\\S+|\w+)\s*\()", re.DOTALL)
_PARAMETER = re.compile(r"\.(COUNT|A_WIDTH|B_WIDTH)\s*\(\s*(?:\d+'s?d)?(\d+)\s*\)")
_ROWS = Path(__file__).parent / "multiply_rows.v"


def cell_sources(verilog: Verilog, multiply: Path, cell: BlockRamCell, device: Device) -> dict[str, str]:
    """File name → text of all modules, ready for synthesis; nothing is read from memory files any more.

    Args:
        verilog: the design; its primitives are replaced by modules of the same names, ports and latencies.
        multiply: the family's ``mbconv_multiply``, whose first ``DSP_COUNT`` products are in DSP blocks. The device's
            blocks are given out in the order of the text; products beyond them are rows of carry chains.
        cell: the family's block RAM.
        device: how many DSP blocks and which memories are block RAM.
    """
    prefix = re.search(r"module (\w*)mbconv_multiply\b", verilog.primitives)[1]
    # A folder of memory files is no longer wanted: the contents are in the cells.
    text = re.sub(r'\.FILE\(\{\w+, ("[^"]*")\}\)', r".FILE(\1)", verilog.text)
    text = _MULTIPLY.sub(_Budget(device), text)
    wrapper = multiply.read_text().replace("module mbconv_multiply #", f"module {prefix}mbconv_multiply #")
    return {
        f"{verilog.top}.v": text,
        "multiply.v": wrapper,
        "multiply_rows.v": _ROWS.read_text(),
        "memory.v": memory_modules(verilog.memories, cell, device, prefix),
    }


class _Budget:
    """Gives each instance of ``mbconv_multiply`` the DSP blocks that are left."""

    def __init__(self, device: Device):
        self.device = device
        self.left = device.dsp_blocks

    def __call__(self, instance: re.Match) -> str:
        sizes = {name: int(value) for name, value in _PARAMETER.findall(instance[2])}
        products = self.device.products_of_a_block(sizes["A_WIDTH"], sizes["B_WIDTH"])
        count = min(sizes["COUNT"], self.left * products)
        self.left -= -(-count // products) if count else 0
        return f"{instance[1]} #({instance[2]}, .DSP_COUNT({count})) "
