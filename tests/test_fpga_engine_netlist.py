"""An engine as it is placed on an iCE40, pins, PLL and link included: its netlist asked through its UART."""

import pytest

from mbconv.board.netlist_check import check_engine_netlist
from mbconv.fpga.boards import find_board
from mbconv.fpga.flow.bitstream import engine_netlist
from mbconv.fpga.flow.board_netlist import NetlistBoard
from mbconv.generators.engine.memory_timing import parse_engine
from mbconv.models import load


@pytest.mark.slow  # synthesis, and a million cycles of the netlist
def test_digits_on_a_netlist(tmp_path):
    """Bit for bit; multipliers in pairs, maps in memories of one port."""
    parameters, _ = parse_engine("up5k")
    board = find_board("icebreaker")
    netlist, top = engine_netlist(parameters, board, tmp_path, 24.0)
    assert netlist.cells["SB_MAC16"] == parameters.lanes // 2
    assert netlist.cells["SB_SPRAM256KA"] == 4
    assert netlist.cells["SB_RAM40_4K"] <= board.part.cells["ICESTORM_RAM"]
    with NetlistBoard(board, netlist, top) as simulated:
        found = check_engine_netlist(simulated.port, load("digits"), top.bit.baud)
    assert found.ok, found.text
    print(found.text)
