"""Instances of ECP5's block RAM cell as Verilog text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_ADDRESS_OFFSET = {36: 5, 18: 4, 9: 3, 4: 2, 2: 1, 1: 0}  # the cell's lowest address bit that counts


def initial_values(words: Sequence[int], bits: int) -> list[int]:
    """The cell's 64 parameters ``INITVAL_xx`` for words of 1 to 36 bits.

    The cell is an array of 18-bit words, of which 16 make a parameter of 320 bits, each in 20 of them. A 36-bit word is
    made of two (word n and word n + 512, read through either port); words of 9 bits and less fill the 18 bits from
    below, those of 4, 2 and 1 bits leaving every ninth bit unused.
    """
    cells = [0] * 1024
    for index, word in enumerate(words):
        if bits == 36:
            cells[index] = word & 0x3FFFF
            cells[512 + index] = word >> 18
        elif bits == 18:
            cells[index] = word
        elif bits == 9:
            cells[index // 2] |= word << 9 * (index % 2)
        else:
            byte, place = divmod(index, 8 // bits)
            cells[byte // 2] |= word << 9 * (byte % 2) + bits * place
    return [sum(cells[first + i] << 20 * i for i in range(16)) for first in range(0, 1024, 16)]


@dataclass(frozen=True)
class Dp16kd:
    """A DP16KD as a memory of one read port with its output register on, and at most one write port.

    Written by port A and read by port B; at 36 bits a memory that is written is in pseudo-dual-port mode (both ports'
    data pins together), and a constant one reads half a word through either port.
    """

    registered: bool = True

    def instance(
        self,
        name: str,
        bits: int,
        read: tuple[str, str, str],
        write: tuple[str, str, str] | None = None,
        contents: Sequence[int] | None = None,
    ) -> str:
        offset = _ADDRESS_OFFSET[bits]
        pins: dict[str, str] = {"CLKA": "clk", "CLKB": "clk", "RSTA": "1'b0", "RSTB": "1'b0"}
        for port in "AB":
            pins |= {f"CS{port}{i}": "1'b0" for i in range(3)}
        enable, address, data = read
        if bits == 36 and write is None:
            parameters = {"DATA_WIDTH_A": "18", "DATA_WIDTH_B": "18"}
            for port, half, first in (("A", "1'b0", 0), ("B", "1'b1", 18)):
                pins |= {f"CE{port}": enable, f"OCE{port}": enable, f"WE{port}": "1'b0"}
                pins |= {f"AD{port}{i + 4}": f"{address}[{i}]" for i in range(9)} | {f"AD{port}13": half}
                pins |= {f"DO{port}{i}": _bit(data, first + i) for i in range(18)}
        else:
            parameters = {"DATA_WIDTH_A": str(bits), "DATA_WIDTH_B": str(bits)}
            pins |= {"CEB": enable, "OCEB": enable, "WEB": "1'b0"}
            pins |= {f"ADB{i}": f"{address}[{i - offset}]" for i in range(offset, 14)}
            if bits == 36:
                pins |= {f"DOA{i}": _bit(data, i) for i in range(18)} | {
                    f"DOB{i}": _bit(data, 18 + i) for i in range(18)
                }
            else:
                pins |= {f"DOB{i}": _bit(data, i) for i in range(bits)}
            if write is None:
                pins |= {"CEA": "1'b0", "OCEA": "1'b0", "WEA": "1'b0"}
            else:
                enable, address, data = write
                # At 36 bits part of what port B reads comes out at port A, whose register may want its own enable.
                pins |= {"CEA": enable, "OCEA": read[0] if bits == 36 else "1'b0", "WEA": "1'b1"}
                pins |= {f"ADA{i}": f"{address}[{i - offset}]" for i in range(offset, 14)}
                pins |= {f"ADA{i}": "1'b1" for i in range({36: 4, 18: 2}.get(bits, 0))}  # byte enables
                for i in range(bits):
                    pins[f"DI{'A' if i < 18 else 'B'}{i % 18}"] = _bit(data, i)
        parameters |= {"REGMODE_A": '"OUTREG"', "REGMODE_B": '"OUTREG"', "RESETMODE": '"SYNC"', "GSR": '"DISABLED"'}
        parameters |= {"WRITEMODE_A": '"NORMAL"', "WRITEMODE_B": '"NORMAL"'}
        parameters |= {"CSDECODE_A": '"0b000"', "CSDECODE_B": '"0b000"'}
        if contents is not None:
            parameters |= {
                f"INITVAL_{i:02X}": f"320'h{value:080x}" for i, value in enumerate(initial_values(contents, bits))
            }
        return (
            "    DP16KD #(\n        "
            + ",\n        ".join(f".{key}({value})" for key, value in parameters.items())
            + f"\n    ) {name} (\n        "
            + ",\n        ".join(f".{key}({value})" for key, value in pins.items())
            + "\n    );"
        )


def _bit(vector: str, index: int) -> str:
    """Bit ``index`` of a Verilog part-select ``name[high:low]``."""
    name, _, limits = vector.partition("[")
    return f"{name}[{int(limits.split(':')[1].rstrip(']')) + index}]"
