"""An engine as it is placed on an iCE40, pins, PLL and link included: its netlist asked through its UART."""

import pytest

from mbconv.board.netlist_check import check_engine_netlist
from mbconv.fpga.boards import find_board
from mbconv.fpga.flow.bitstream import engine_netlist
from mbconv.fpga.flow.board_netlist import NetlistBoard
from mbconv.generators.engine.compile import compile_network
from mbconv.generators.engine.memory_timing import parse_engine
from mbconv.generators.engine.program_file import stream_bytes
from mbconv.models import load


@pytest.mark.slow  # synthesis, and three million cycles of the netlist
def test_two_networks_on_a_netlist(tmp_path):
    """Bit for bit; multipliers in pairs, maps in memories of one port, the second one's weights through the pads of the
    flash."""
    board = find_board("icebreaker")
    netlist, top = engine_netlist(parse_engine("up5k_flash")[0], board, tmp_path, 24.0)
    parameters, timing = parse_engine(top.identity.engine)
    assert (parameters, timing) == parse_engine("up5k_flash")
    assert netlist.cells["SB_MAC16"] == parameters.lanes // 2
    assert netlist.cells["SB_SPRAM256KA"] == 4
    assert netlist.cells["SB_RAM40_4K"] <= board.part.cells["ICESTORM_RAM"]
    streamed = load("cifar10", (18, 20))
    flash = stream_bytes(compile_network(streamed, parameters, timing=timing))
    with NetlistBoard(board, netlist, top, flash=flash) as simulated:
        for graph, pictures in ((load("digits"), 3), (streamed, 1)):
            found = check_engine_netlist(simulated.port, graph, top.bit.baud, pictures=pictures)
            assert found.ok, found.text
            print(found.text)
