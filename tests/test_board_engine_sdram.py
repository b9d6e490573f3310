"""A board with an engine and an SDRAM, in Verilator: weights go into it over the link and are read in every frame. The
model on its pins ends the simulation where a device's times are not kept."""

import numpy as np
import pytest

from mbconv.board import Board
from mbconv.board.errors import ForeignMemory
from mbconv.fpga.boards import find_board
from mbconv.frames import random_frames
from mbconv.generators.engine.memory_timing import parse_engine
from mbconv.hdl.engine.sdram import SdramTiming
from mbconv.hdl.engine.weight_port import PLACE_BYTES
from mbconv.hdl.link.engine_top import least_bit_cycles
from mbconv.hdl.link.protocol import REPORT_BYTES, Request
from mbconv.models import load
from mbconv.sim.board.sdram import PADS
from mbconv.sim.board.simulated_board import SimulatedBoard
from mbconv.sim.golden import model as golden

CLOCK = 96e6
READING = {
    bits: parse_engine(
        "channels=8,pixels=4,requantizers=2,map_words=4096,weight_words=256,constant_words=64,tables=1,instructions=24,"
        f"ranges=1,overlaps=1,port_bytes={bits // 8}{further}"
    )[0]
    for bits, further in ((16, ",depthwise_rows=2,depthwise_columns=2,spare_registers=2"), (32, ""))
}
"""By the memory's bits; one with registers between link and engine."""

BAUD = round(CLOCK / least_bit_cycles(READING[16]))


def networks():
    """Two whose weights come from outside."""
    return load("digits", None), load("cifar10", (18, 20))


def right(found, graph, seed=7):
    (frame,) = random_frames(graph, 1, seed)
    (picture,) = frame.values()
    wanted = golden.run(graph, frame)
    for tensor, values in found.outputs(picture).items():
        assert np.array_equal(values.ravel(), np.asarray(wanted[tensor]).ravel())


@pytest.fixture(scope="module", params=[SdramTiming(), find_board("colorlight-i5").sdram_timing], ids=("16", "32"))
def board(request):
    """A device of 16 bits, and one of 32, a Colorlight's."""
    engine = READING[request.param.data_bits]
    with SimulatedBoard.of_engine(engine, CLOCK, CLOCK / least_bit_cycles(engine), sdram=request.param) as running:
        yield running


@pytest.mark.slow  # a simulator of its own
def test_networks_in_turn(board):
    """Filled and uploaded where another is on the board, and kept where it is."""
    first, second = networks()
    for graph, uploaded in ((first, True), (first, False), (second, True), (first, True)):
        with Board(board.port, graph, BAUD, patience=60.0) as found:
            assert found.engine.fills and found.uploaded == uploaded
            for seed in range(2):
                right(found, graph, seed)


@pytest.mark.slow
def test_a_changed_word_is_answered_as_an_error(board):
    """And never as a class; what is asked through the library is filled again and answered."""
    graph, _ = networks()
    with Board(board.port, graph, BAUD, patience=60.0) as found:
        (picture,) = random_frames(graph, 1, 7)[0].values()
        right(found, graph)
        piece = bytearray(found.engine.fills[0])
        piece[PLACE_BYTES + 1000] ^= 0x10
        found._ask(Request.FILL, bytes(piece), REPORT_BYTES)
        with pytest.raises(ForeignMemory, match="the board's SDRAM holds weights of another network, or damaged ones"):
            found._ask(Request.INFER, picture.tobytes(), None)
        right(found, graph)


@pytest.mark.slow
def test_a_piece_that_the_line_changed_is_sent_again(board):
    """Power off forgets all; pieces that are cut or flipped are answered as such, and the next one is right."""
    graph, _ = networks()
    board.unplug()
    board.plug()
    with Board(board.port, graph, BAUD, patience=60.0) as found:
        assert found.uploaded
        for cut in (0, 3, 9, 100):
            answer, why = found._dialogue.once(Request.FILL, found.engine.fills[0][:cut], 60.0)
            assert (answer is None) == (cut == 0), why
        found.disturb()
        right(found, graph)


@pytest.mark.slow
def test_pads_of_a_gowin():
    """Of the cells that they are made of; those of an ECP5 are in its netlist (``test_fpga_engine_netlist.py``)."""
    board, (graph, _) = find_board("tang-nano-20k"), networks()
    family = board.part.family
    texts = {path.name: path.read_text() for path in (family.folder / "io_sim.v", family.folder / PADS)}
    with (
        SimulatedBoard.of_engine(
            READING[32], CLOCK, BAUD, sdram=board.sdram_timing, pads={**family.models(), **texts}
        ) as running,
        Board(running.port, graph, BAUD, patience=60.0) as found,
    ):
        right(found, graph)
