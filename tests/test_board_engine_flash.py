"""A board with an engine and a flash, in Verilator: weights from the flash's lines, and what is wrong in it."""

from dataclasses import replace

import numpy as np
import pytest
from test_board_engine import PARAMETERS

from mbconv.board import Board
from mbconv.board.errors import BoardError
from mbconv.fpga.boards import find_board
from mbconv.frames import random_frames
from mbconv.generators.emission.engine_board import FLASH_ADDRESS, engine_top
from mbconv.generators.engine.compile import compile_network
from mbconv.generators.engine.memory_timing import parse_engine
from mbconv.generators.engine.program_file import stream_bytes
from mbconv.hdl.link.engine_top import least_bit_cycles
from mbconv.models import load
from mbconv.sim.board.simulated_board import SimulatedBoard
from mbconv.sim.golden import model as golden

READING = replace(PARAMETERS, port_bytes=1, weight_words=128)
CLOCK = 24e6
BAUD = round(CLOCK / least_bit_cycles(READING))


def weights(graph) -> bytes:
    """What the flash holds of a network."""
    parameters, timing = parse_engine(engine_top(READING, CLOCK, flash=FLASH_ADDRESS).identity.engine)
    assert parameters == READING
    return stream_bytes(compile_network(graph, parameters, timing=timing))


def board(flash: bytes, pads=None) -> SimulatedBoard:
    return SimulatedBoard.of_engine(READING, CLOCK, CLOCK / least_bit_cycles(READING), flash=flash, pads=pads)


@pytest.mark.slow  # simulators of their own
@pytest.mark.parametrize("family", ["", "ice40"])
def test_weights_from_a_flash(family):
    """As the golden model answers; a network whose weights fit the chip needs nothing of the flash."""
    whole, part = load("digits", None), load("digits", (0, 1))
    files = ("flash_pads.v", "io_sim.v") if family else ()
    pads = {name: (find_board("icebreaker").part.family.folder / name).read_text() for name in files}
    with board(weights(whole), pads) as running:
        for graph in (whole, part, whole):
            with Board(running.port, graph, BAUD, patience=60.0) as found:
                for frame in random_frames(graph, 2, 7):
                    (picture,) = frame.values()
                    wanted = golden.run(graph, frame)
                    for tensor, values in found.outputs(picture).items():
                        assert np.array_equal(values.ravel(), np.asarray(wanted[tensor]).ravel())


@pytest.mark.slow  # a simulator for each
@pytest.mark.parametrize("wrong", ["a bit", "another network", "empty"])
def test_what_is_wrong_in_a_flash_is_answered_as_an_error(wrong):
    graph = load("digits", None)
    flash = bytearray(weights(graph))
    if wrong == "a bit":
        flash[len(flash) // 2] ^= 0x10
    elif wrong == "another network":
        flash = bytearray(weights(load("digits", (0, 9))))
    else:
        flash[:] = b"\xff" * len(flash)
    with board(bytes(flash)) as running, Board(running.port, graph, BAUD, patience=60.0) as found:
        (picture,) = random_frames(graph, 1, 7)[0].values()
        with pytest.raises(BoardError, match="the board's flash holds weights of another network, or damaged ones"):
            found.predict(picture)
