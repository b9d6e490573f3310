"""Whole digits as it is placed on a board of each family, link included: what was synthesised answers as the golden
model does, in the cycles predicted."""

import pytest

from mbconv.board.netlist_check import check_board_netlist
from mbconv.fpga.boards import find_board
from mbconv.fpga.flow.bitstream import board_netlist
from mbconv.fpga.flow.board_netlist import NetlistBoard
from mbconv.generators.emission.design import make_design
from mbconv.models import load


@pytest.mark.slow
@pytest.mark.parametrize(("name", "multipliers", "mhz"), [("icebreaker", 10, 24), ("colorlight-i5", 25, 100),
                                                          ("tang-nano-9k", 8, 60), ("tang-nano-20k", 24, 60),
                                                          ("crosslink-nx-evn-pll", 24, 60)])  # fmt: skip
def test_whole_digits_behind_its_uart(name, multipliers, mhz, tmp_path):
    board, graph = find_board(name), load("digits")
    design = make_design(graph, multipliers=multipliers, family=board.part.resources.circuits)
    netlist, top = board_netlist(design, board, tmp_path, mhz)
    with NetlistBoard(board, netlist, top) as simulated:
        found = check_board_netlist(simulated.port, graph, float(top.bit.baud))
    assert found.ok and found.pictures == 1, found.text
    assert found.run.interval == design.schedule.interval and found.lone.cycles == design.schedule.latency
