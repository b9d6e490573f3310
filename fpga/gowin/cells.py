"""Instances of Gowin's block RAM cells as Verilog text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..primitives.text import instance, packed_words

_ADDRESS_OFFSET = {36: 5, 18: 4, 9: 3, 4: 2, 2: 1, 1: 0}  # the cell's lowest address bit that counts
_BYTE_ENABLES = {36: 4, 18: 2}


@dataclass(frozen=True)
class Bsram:
    """A BSRAM with its output register on: SDPX9B or SDPB with a write port, pROMX9 or pROM without; the first of each
    for 9, 18 and 36 bits, the other for 4, 2 and 1."""

    registered: bool = True

    def instance(
        self,
        name: str,
        bits: int,
        read: tuple[str, str, str],
        write: tuple[str, str, str] | None = None,
        contents: Sequence[int] | None = None,
    ) -> str:
        wide, width = bits >= 9, 36 if bits >= 9 else 32
        parameters = {"READ_MODE": "1'b1", "RESET_MODE": '"SYNC"'}
        if contents is not None:
            row = 288 if wide else 256
            values = packed_words(contents, bits, row, 64)
            parameters |= {f"INIT_RAM_{i:02X}": f"{row}'h{value:0{row // 4}x}" for i, value in enumerate(values)}
        enable, address, data = read
        lines = [f"    wire [{width - 1}:0] {name}_out;", f"    assign {data} = {name}_out[{bits - 1}:0];"]
        if write is None:
            pins = {"CLK": "clk", "CE": enable, "OCE": enable, "RESET": "1'b0", "AD": _address(address, bits)}
            parameters["BIT_WIDTH"] = str(bits)
            cell = "pROMX9" if wide else "pROM"
        else:
            w_enable, w_address, w_data = write
            pins = {
                "CLKA": "clk",
                "CEA": w_enable,
                "RESETA": "1'b0",
                "BLKSELA": "3'b000",
                "ADA": _address(w_address, bits, write=True),
                "DI": f"{name}_in",
                "CLKB": "clk",
                "CEB": enable,
                "OCE": enable,
                "RESETB": "1'b0",
                "BLKSELB": "3'b000",
                "ADB": _address(address, bits),
            }
            parameters |= {"BIT_WIDTH_0": str(bits), "BIT_WIDTH_1": str(bits)}
            parameters |= {"BLK_SEL_0": "3'b000", "BLK_SEL_1": "3'b000"}
            lines += [f"    wire [{width - 1}:0] {name}_in = {w_data};"]
            cell = "SDPX9B" if wide else "SDPB"
        return "\n".join([*lines, instance(cell, name, parameters, {**pins, "DO": f"{name}_out"})])


def _address(address: str, bits: int, write: bool = False) -> str:
    """The cell's address; below a word's the write port of 18 and 36 bits has byte enables."""
    offset = _ADDRESS_OFFSET[bits]
    if not offset:
        return address
    enables = _BYTE_ENABLES.get(bits, 0) if write else 0
    low = ((1 << enables) - 1) & ((1 << offset) - 1)
    return f"{{{address}, {offset}'d{low}}}"
