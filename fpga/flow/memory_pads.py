"""The pads of a memory outside: what the module of the pins has for it, and the pins themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mbconv.hdl.engine.flash_reader import FLASH_LINES
from mbconv.hdl.engine.sdram import sdram_lines
from mbconv.hdl.link.board_top import BoardTop
from mbconv.hdl.link.engine_top import EngineTop

from ..boards import FpgaBoard
from ..family import Pin

FLASH_PADS, SDRAM_PADS = "flash_pads.v", "sdram_pads.v"
"""Files of a family: its pads of a flash on four lines, and of an SDRAM."""

_FLASH_PORTS = {"cs_n": "output wire", "sck": "output wire", "io": "inout wire [3:0]"}


def _sdram_ports(data_bits: int, address_bits: int) -> dict[str, str]:
    return {
        **dict.fromkeys(("clk", "cke", "cs_n", "ras_n", "cas_n", "we_n"), "output wire"),
        "ba": "output wire [1:0]",
        "a": f"output wire [{address_bits - 1}:0]",
        "dq": f"inout wire [{data_bits - 1}:0]",
        "dqm": f"output wire [{data_bits // 8 - 1}:0]",
    }


@dataclass(frozen=True)
class MemoryPads:
    """A memory of a board as its pins' module has it.

    Attributes:
        name: ``flash`` or ``sdram``, before the names of all ports and lines.
        ports: of the module, with their directions; lines: of the circuit's top, with their bits.
        parameters: of the pads' module.
        pins: by port.
        source: file name → Verilog of the pads' module.
    """

    name: str
    ports: Mapping[str, str]
    lines: Mapping[str, int]
    parameters: str
    pins: Mapping[str, Pin]
    source: Mapping[str, str]

    @property
    def port_text(self) -> str:
        """Ports, behind others."""
        return "".join(f",\n    {kind} {self.name}_{port}" for port, kind in self.ports.items())

    @property
    def line_text(self) -> str:
        """Connections of the circuit's top, behind others."""
        return "".join(f", .{self.name}_{line}({self.name}_board_{line})" for line in self.lines)

    def instance(self, clock: str) -> str:
        """The pads between lines and ports."""
        wires = "".join(f"    wire [{bits - 1}:0] {self.name}_board_{line};\n" for line, bits in self.lines.items())
        inner = ", ".join(f".{line}({self.name}_board_{line})" for line in self.lines)
        outer = ", ".join(f".{self.name}_{port}({self.name}_{port})" for port in self.ports)
        module = f"mbconv_{self.name}_pads{self.parameters}"
        return f"{wires}    {module} {self.name}_pads (\n        .clk({clock}), {inner},\n        {outer}\n    );\n"


def has_pads(board: FpgaBoard, name: str) -> bool:
    """Whether a board's family has pads for its ``flash`` or ``sdram``."""
    return bool(getattr(board, name)) and (board.part.family.folder / f"{name}_pads.v").exists()


def memory_pads(board: FpgaBoard, top: BoardTop | EngineTop) -> MemoryPads | None:
    """The pads of the memory that a top reads; None of one that reads none."""
    if not isinstance(top, EngineTop):
        return None
    folder = board.part.family.folder
    if top.flash is not None:
        lines = {line: int(flow.shape) for line, flow in FLASH_LINES.items()}
        source = {FLASH_PADS: (folder / FLASH_PADS).read_text()}
        return MemoryPads("flash", _FLASH_PORTS, lines, "", board.flash, source)
    if top.sdram is not None:
        bits, address = top.sdram.timing.data_bits, sum(port.startswith("sdram_a[") for port in board.sdram)
        lines = {line: int(flow.shape) for line, flow in sdram_lines(bits).items()}
        there = {port.partition("[")[0] for port in board.sdram}
        ports = {port: kind for port, kind in _sdram_ports(bits, address).items() if f"sdram_{port}" in there}
        source = {SDRAM_PADS: (folder / SDRAM_PADS).read_text()}
        return MemoryPads("sdram", ports, lines, f" #(.DATA({bits}), .ADDRESS({address}))", board.sdram, source)
    return None
