"""A board with an engine, in Verilator: networks uploaded over its UART, pictures answered as the golden model does."""

import random
from dataclasses import replace

import numpy as np
import pytest

from mbconv.board import Board
from mbconv.board.errors import BoardError
from mbconv.board.packets import Packet
from mbconv.frames import random_frames
from mbconv.generators.engine.compile import compile_network
from mbconv.generators.engine.program_file import upload_bytes
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.hdl.link.engine_top import least_bit_cycles
from mbconv.hdl.link.identity import Identity
from mbconv.hdl.link.protocol import Reason, Request
from mbconv.models import load
from mbconv.sim.board.simulated_board import SimulatedBoard
from mbconv.sim.golden import model as golden

PARAMETERS = EngineParameters(
    map_words=512, map_ports=1, weight_words=512, constant_words=256, tables=1, instructions=12, result_cycles=2,
    lane_bits=21, side_bits=6, kernel_bits=4, group_bits=8,
)  # fmt: skip


def test_an_identity_tells_an_engine():
    from mbconv.generators.emission.engine_board import engine_top

    said = engine_top(PARAMETERS, 24e6).identity
    assert Identity.decode(said.encode()) == said
    assert EngineParameters.parse(said.engine) == PARAMETERS


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    link = tmp_path_factory.mktemp("port") / "board"
    with SimulatedBoard.of_engine(PARAMETERS, 24e6, 24e6 / least_bit_cycles(PARAMETERS), link) as running:
        yield running


def graphs():
    return load("digits", None), load("digits", (0, 1))


@pytest.mark.slow
def test_networks_in_turn(board):
    """Each is uploaded where another is on the board, and kept where it is."""
    whole, part = graphs()
    for graph, uploaded in ((whole, True), (whole, False), (part, True), (whole, True)):
        with Board(board.port, graph) as found:
            assert found.uploaded == uploaded
            assert found.identity.name == graph.name
            for frame in random_frames(graph, 2, 3):
                (source,), (result,) = graph.inputs, graph.outputs
                wanted = golden.run(graph, frame)[result]
                assert np.array_equal(found.outputs(frame[source])[result], wanted)


@pytest.mark.slow
def test_what_is_wrong_is_answered(board):
    """Without a network, with one for another engine, with frames too short and too long; then all is well."""
    whole, _ = graphs()
    board.unplug()
    board.plug()
    with Board(board.port) as found:
        dialogue = found._dialogue
        for request, payload, reason in (
            (Request.INFER, bytes(64), "no network has been uploaded"),
            (Request.UPLOAD, b"mbce and more", "refuses the network"),
            (Request.UPLOAD, b"", "length"),
            (Request.MEASURE, bytes(6), "does not serve MEASURE"),
        ):
            answer, why = dialogue.once(request, payload, 60)
            assert answer is None and reason in why, (request, why)
    with Board(board.port, whole) as found:
        for size in (1, 63, 65, 200):
            answer, why = found._dialogue.once(Request.INFER, bytes(size), 60)
            assert answer is None and "length" in why, (size, why)
        frame = random_frames(whole, 1, 4)[0]
        (source,), (result,) = whole.inputs, whole.outputs
        wanted = golden.run(whole, frame)[result]
        found.disturb()
        assert np.array_equal(found.outputs(frame[source])[result], wanted)
        board.unplug()
        board.plug()
        assert np.array_equal(found.outputs(frame[source])[result], wanted), "the network was not uploaded again"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_anything_on_the_line_leaves_the_next_answer_right(board, seed):
    """Uploads and frames that are cut, doubled, flipped, of any kind; resets; then a picture is asked as always."""
    rng = random.Random(seed)
    print("seed", seed)
    whole, _ = graphs()
    (source,), (result,) = whole.inputs, whole.outputs
    frames = random_frames(whole, 8, seed)
    wanted = [golden.run(whole, frame)[result] for frame in frames]
    program = upload_bytes(compile_network(whole, PARAMETERS))
    with Board(board.port, whole) as found:
        for frame, right in zip(frames, wanted, strict=True):
            kind = rng.choice([Request.UPLOAD, Request.INFER, Request.INFER, 7])
            payload = program[: rng.randrange(len(program))] if kind == Request.UPLOAD else rng.randbytes(64)
            line = bytearray(Packet(kind, rng.randrange(256), payload).encode())
            for _ in range(rng.randrange(3)):
                line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
            line = line[: rng.choice([len(line), rng.randrange(1, len(line))])] * rng.choice([1, 1, 2])
            found._dialogue.write(bytes(line), 60)
            if rng.random() < 0.3:
                board.reset()
            assert np.array_equal(found.outputs(frame[source])[result], right)


@pytest.mark.slow
def test_a_network_that_the_engine_does_not_compute(board):
    with pytest.raises(BoardError, match="the engine has lane_bits = 21"):
        Board(board.port, load("cifar10", None))


def test_links_that_an_engine_does_not_take():
    from mbconv.generators.emission.engine_board import engine_top
    from mbconv.generators.graph.graph import GraphError

    for changed, baud, message in (
        ({}, 24e6 / 10, "a bit has 10.0 cycles, in which the engine does not begin a frame"),
        ({"input_elements": 2}, None, "input_elements is 1, not 2"),
        ({"port_bytes": 1}, None, "there is no memory outside"),
    ):
        with pytest.raises(GraphError, match=message):
            engine_top(replace(PARAMETERS, **changed), 24e6, baud)


def test_packets_of_uploads_have_any_length():
    packet = upload_bytes(compile_network(graphs()[1], PARAMETERS))
    assert Packet.decode(Packet(Request.UPLOAD, 1, packet).encode().strip(b"\0")).payload == packet
    assert {Reason.EMPTY, Reason.REFUSED, Reason.MEMORY} <= set(Reason)
