"""A board without a board from its netlist: what is placed on the FPGA, pins, PLL and link included, simulated cell by
cell behind a serial port that any program can open."""

from __future__ import annotations

from pathlib import Path

from mbconv.generators.emission.engine_board import FLASH_ADDRESS
from mbconv.hdl.link.board_top import BoardTop
from mbconv.hdl.link.engine_top import EngineTop
from mbconv.sim.board.flash import flash_file, flash_instance, flash_model
from mbconv.sim.board.sdram import sdram_instance, sdram_model, sdram_wires
from mbconv.sim.board.simulated_board import PROGRAM, SimulatedBoard
from mbconv.sim.simulation import verilator

from ..boards import FpgaBoard
from .bitstream import TOP
from .memory_pads import memory_pads
from .synthesis import Netlist

_AROUND = """module simulated_board (
    input wire clk, input wire rst, input wire rx, output wire tx, output wire active
);
{memory}    {top} pins (.clk(clk), .rx(rx), .tx(tx){lines});
    assign active = 1'b1;  // what the light would show stays inside
endmodule
"""
_FLASH_WIRES = "    wire flash_cs_n, flash_sck;\n    wire [3:0] flash_io;\n"
_FLASH_LINES = ", .flash_cs_n(flash_cs_n), .flash_sck(flash_sck), .flash_io(flash_io)"


class NetlistBoard(SimulatedBoard):
    """A board's netlist, running from entry to exit of a ``with`` statement. Its PLL is a wire: the simulated line is
    as fast as clock and rate say. It has no reset button: what is on the pins has none.

    Args:
        netlist, top: what was synthesised, and the design with its link that it is of.
        link: as of :class:`~mbconv.sim.board.simulated_board.SimulatedBoard`.
        flash: what the board's flash holds at the address where an engine reads weights.

    Raises:
        SimulatorError: the simulator is missing or refuses the netlist.
    """

    def __init__(
        self,
        board: FpgaBoard,
        netlist: Netlist,
        top: BoardTop | EngineTop,
        link: Path | None = None,
        seed: int = 1,
        flash: bytes = b"",
    ):
        family = board.part.family
        has_flash = isinstance(top, EngineTop) and top.flash is not None
        sdram = top.sdram.timing if isinstance(top, EngineTop) and top.sdram is not None else None
        inside, lines, models = "", "", {}
        if has_flash:
            inside, lines = _FLASH_WIRES + flash_instance(FLASH_ADDRESS, len(flash)), _FLASH_LINES
            models = flash_model()
        elif sdram is not None:
            pads = memory_pads(board, top)
            assert pads is not None
            inside = sdram_wires(sdram.data_bits, pads.ports, sdram.row_bits) + sdram_instance(
                sdram, float(top.bit.clock)
            )
            wires = {pin: f"sdram_{pin}" for pin in pads.ports} | {"a": f"sdram_a[{sdram.row_bits - 1}:0]"}
            lines = "".join(f", .sdram_{pin}({wire})" for pin, wire in wires.items())
            models = sdram_model()
        own = (family.folder / name for name in ("pll_sim.v", "io_sim.v"))
        sources = {
            **family.models(),
            **{path.name: path.read_text() for path in own if path.exists()},
            **models,
            "netlist.v": netlist.verilog.read_text(),
            "simulated_board.v": _AROUND.format(top=TOP, memory=inside, lines=lines),
        }
        self.top = top
        self.build = verilator.build(sources, "simulated_board", program=PROGRAM)
        self._memory_files, self._link, self._seed = flash_file(flash) if has_flash else {}, link, seed
        self._process = None
