"""Instances of Nexus' block RAM cell as Verilog text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..primitives.text import bytes_of_nine, instance

_ADDRESS_OFFSET = {36: 5, 18: 4, 9: 3, 4: 2, 2: 1, 1: 0}  # the cell's lowest address bit that counts


def initial_values(words: Sequence[int], bits: int) -> list[str]:
    """The cell's 64 parameters ``INITVAL_xx``: 32 bytes of 9 bits each, every one in 10, as hexadecimal text."""
    cells = bytes_of_nine(words, bits)
    cells += [0] * (2048 - len(cells))
    rows = (sum(cells[first + i] << 10 * i for i in range(32)) for first in range(0, 2048, 32))
    return [f"0x{row:080x}" for row in rows]


@dataclass(frozen=True)
class Ebr:
    """An EBR as PDPSC16K, one port that writes and one that reads, both of one width, without its output register."""

    registered: bool = False

    def instance(
        self,
        name: str,
        bits: int,
        read: tuple[str, str, str],
        write: tuple[str, str, str] | None = None,
        contents: Sequence[int] | None = None,
    ) -> str:
        parameters = {"DATA_WIDTH_W": f'"X{bits}"', "DATA_WIDTH_R": f'"X{bits}"', "OUTREG": '"BYPASSED"'}
        parameters |= {"RESETMODE": '"SYNC"', "GSR": '"DISABLED"', "ECC": '"DISABLED"'}
        parameters |= {"CSDECODE_W": '"111"', "CSDECODE_R": '"111"'}
        if contents is not None:
            values = initial_values(contents, bits)
            parameters |= {f"INITVAL_{i:02X}": f'"{value}"' for i, value in enumerate(values)}
        enable, address, data = read
        w_enable, w_address, w_data = write or ("1'b0", "14'd0", "36'd0")
        lines = [
            f"    wire [35:0] {name}_in = {w_data};",
            f"    wire [35:0] {name}_out;",
            f"    assign {data} = {name}_out[{bits - 1}:0];",
        ]
        pins = {
            "CLK": "clk",
            "CEW": w_enable,
            "CSW": "3'b111",
            "ADW": w_address if write is None else _address(w_address, bits),
            "DI": f"{name}_in",
            "CER": enable,
            "CSR": "3'b111",
            "ADR": _address(address, bits),
            "RST": "1'b0",
            "DO": f"{name}_out",
        }
        return "\n".join([*lines, instance("PDPSC16K", name, parameters, pins)])


def _address(address: str, bits: int) -> str:
    """The cell's address; what is below a word's is set: at 18 and 36 bits these are byte enables."""
    offset = _ADDRESS_OFFSET[bits]
    return f"{{{address}, {{{offset}{{1'b1}}}}}}" if offset else address
