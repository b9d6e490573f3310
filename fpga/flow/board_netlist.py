"""A board without a board from its netlist: what is placed on the FPGA, pins, PLL and link included, simulated cell by
cell behind a serial port that any program can open."""

from __future__ import annotations

from pathlib import Path

from mbconv.hdl.link.board_top import BoardTop
from mbconv.hdl.link.engine_top import EngineTop
from mbconv.sim.board.simulated_board import PROGRAM, SimulatedBoard
from mbconv.sim.simulation import verilator

from ..boards import FpgaBoard
from .bitstream import TOP
from .synthesis import Netlist

_AROUND = f"""module simulated_board (
    input wire clk, input wire rst, input wire rx, output wire tx, output wire active
);
    {TOP} pins (.clk(clk), .rx(rx), .tx(tx));
    assign active = 1'b1;  // what the light would show stays inside
endmodule
"""


class NetlistBoard(SimulatedBoard):
    """A board's netlist, running from entry to exit of a ``with`` statement. Its PLL is a wire: the simulated line is
    as fast as clock and rate say. It has no reset button: what is on the pins has none.

    Args:
        netlist, top: what was synthesised, and the design with its link that it is of.
        link: as of :class:`~mbconv.sim.board.simulated_board.SimulatedBoard`.

    Raises:
        SimulatorError: the simulator is missing or refuses the netlist.
    """

    def __init__(
        self, board: FpgaBoard, netlist: Netlist, top: BoardTop | EngineTop, link: Path | None = None, seed: int = 1
    ):
        family = board.part.family
        sources = {
            **family.models(),
            "pll_sim.v": (family.folder / "pll_sim.v").read_text() if (family.folder / "pll_sim.v").exists() else "",
            "netlist.v": netlist.verilog.read_text(),
            "simulated_board.v": _AROUND,
        }
        self.top = top
        self.build = verilator.build(sources, "simulated_board", program=PROGRAM)
        self._memory_files, self._link, self._seed = {}, link, seed
        self._process = None
