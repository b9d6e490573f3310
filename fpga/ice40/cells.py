"""Instances of iCE40's memory cells as Verilog text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_MODES = {16: 0, 8: 1, 4: 2, 2: 3}
_WORDS = 256
_FIRST_PIN = {16: 0, 8: 0, 4: 1, 2: 3}


def initial_values(words: Sequence[int], bits: int) -> list[int]:
    """The cell's 16 parameters ``INIT_x`` for words of 16, 8, 4 or 2 bits.

    The cell is an array of 256 words of 16 bits, 16 of which make a parameter. Narrow words are interleaved: bit j of
    word n is bit j · (16 / bits) + n // 256 of row n mod 256 (the read and write masks of Yosys' simulation model).
    """
    rows = [0] * _WORDS
    for index, word in enumerate(words):
        part, row = divmod(index, _WORDS)
        for bit in range(bits):
            rows[row] |= (word >> bit & 1) << bit * (16 // bits) + part
    return [sum(rows[first + i] << 16 * i for i in range(16)) for first in range(0, _WORDS, 16)]


@dataclass(frozen=True)
class SbRam40:
    """An SB_RAM40_4K, which has no output register: both ports in one mode, 256 words of 16 bits to 2,048 of 2."""

    registered: bool = False

    def instance(
        self,
        name: str,
        bits: int,
        read: tuple[str, str, str],
        write: tuple[str, str, str] | None = None,
        contents: Sequence[int] | None = None,
    ) -> str:
        mode, step, first = _MODES[bits], 16 // bits, _FIRST_PIN[bits]
        address_bits = 8 + mode
        enable, address, data = read
        parameters = {"READ_MODE": str(mode), "WRITE_MODE": str(mode)}
        if contents is not None:
            values = initial_values(contents, bits)
            parameters |= {f"INIT_{i:X}": f"256'h{value:064x}" for i, value in enumerate(values)}
        pins = {
            "RCLK": "clk",
            "RCLKE": "1'b1",
            "RE": enable,
            "RADDR": _padded(address, address_bits),
            "RDATA": f"{name}_out",
            "WCLK": "clk",
            "WCLKE": "1'b1",
            "WE": "1'b0",
            "WADDR": "11'd0",
            "WDATA": "16'd0",
            "MASK": "16'd0",
        }
        lines = [f"    wire [15:0] {name}_out;"]
        if write is not None:
            enable, address, written = write
            lines.append(f"    wire [15:0] {name}_in;")
            pins |= {"WE": enable, "WADDR": _padded(address, address_bits), "WDATA": f"{name}_in"}
            used = {first + bit * step: _bit(written, bit) for bit in range(bits)}
            sources = (used.get(pin, "1'b0") for pin in range(16))
            lines += [f"    assign {name}_in[{pin}] = {source};" for pin, source in enumerate(sources)]
        pins_of_data = (f"{name}_out[{first + bit * step}]" for bit in reversed(range(bits)))
        lines.append(f"    assign {data} = {{{', '.join(pins_of_data)}}};")
        return "\n".join(lines) + (
            "\n    SB_RAM40_4K #(\n        "
            + ",\n        ".join(f".{key}({value})" for key, value in parameters.items())
            + f"\n    ) {name} (\n        "
            + ",\n        ".join(f".{key}({value})" for key, value in pins.items())
            + "\n    );"
        )


@dataclass(frozen=True)
class Spram:
    """An SB_SPRAM256KA of UltraPlus: 16,384 words of 16 bits, one port, no contents from the bitstream."""

    bits: int = 16
    words: int = 16384

    def instance(self, name: str, enable: str, address: str, read: str, written: str) -> str:
        pins = {
            "CLOCK": "clk",
            "ADDRESS": address,
            "DATAIN": written,
            "DATAOUT": read,
            "WREN": enable,
            "MASKWREN": "4'b1111",
            "CHIPSELECT": "1'b1",
            "STANDBY": "1'b0",
            "SLEEP": "1'b0",
            "POWEROFF": "1'b1",  # low: off
        }
        connections = ",\n        ".join(f".{key}({value})" for key, value in pins.items())
        return f"    SB_SPRAM256KA {name} (\n        {connections}\n    );"


def _padded(address: str, bits: int) -> str:
    return address if bits == 11 else f"{{{11 - bits}'d0, {address}}}"


def _bit(vector: str, index: int) -> str:
    """Bit ``index`` of a Verilog part-select ``name[high:low]``."""
    name, _, limits = vector.partition("[")
    return f"{name}[{int(limits.split(':')[1].rstrip(']')) + index}]"
