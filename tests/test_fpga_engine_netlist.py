"""Engines placed on an iCE40, an ECP5 and a Gowin, pins and link included: netlists asked through their UART."""

from dataclasses import replace

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


CELLS = {  # of a family: block RAM, products, the register of both edges, pads of both directions
    "ECP5": (("DP16KD",), "MULT18X18D", "ODDRX1F", "TRELLIS_IO"),
    "Gowin": (("SDPX9B", "SDPB", "pROMX9", "pROM"), "MULT9X9", "ODDR", "IOBUF"),
}


@pytest.mark.slow  # synthesis, and two million cycles of the netlist; of the larger engine ten minutes and more
@pytest.mark.parametrize(
    ("name", "board"),
    [
        ("ecp5_24", "colorlight-i5"),
        ("ecp5_32", "ulx3s-85f"),
        ("ecp5_64", "colorlight-i9"),
        ("ecp5_144", "ulx3s-85f"),
        ("gw2ar_32", "tang-nano-20k"),
    ],
)
def test_weights_from_an_sdram_on_a_netlist(tmp_path, name, board):
    """Registers at the pads, the device's inverted clock, words with the falling edge; all weights of a small network
    through them, over the link before. The device's model ends the simulation at a time that is not kept. A slow clock,
    so that a byte on the line takes few cycles."""
    board = find_board(board)
    engine = replace(parse_engine(name)[0], constant_words=32)  # of 128 digits fits the chip
    netlist, top = engine_netlist(engine, board, tmp_path, 25.0)
    parameters, timing = parse_engine(top.identity.engine)
    assert parameters == engine and top.sdram is not None
    rams, product, clock, pad = CELLS[board.part.family.name]
    assert sum(netlist.cells.get(ram, 0) for ram in rams) <= board.part.resources.block_rams
    assert netlist.cells[product] == parameters.lanes + parameters.requantizers * parameters.products
    assert netlist.cells[clock] == 1
    assert netlist.cells[pad] == board.sdram_timing.data_bits
    graph = load("digits")
    assert stream_bytes(compile_network(graph, parameters, timing=timing))
    with NetlistBoard(board, netlist, top) as simulated:
        found = check_engine_netlist(simulated.port, graph, top.bit.baud, pictures=1)
        assert found.ok, found.text
        print(found.text)
