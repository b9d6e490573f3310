"""The host's side against the board as emitted, over bad lines, resets and replugs, and against what is no board."""

import json
import threading
import time

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner
from link_fakes import Cable, Fake
from link_packets import IDENTIFY, packet, read_packet

from mbconv.board import Board, BoardError, BoardMissing, WrongNetwork
from mbconv.board.pseudo_random import frames, sequence, signature
from mbconv.cli import main
from mbconv.generators.emission.board import identity, model_hash
from mbconv.generators.emission.design import make_design
from mbconv.hdl.link.baud import BitLength
from mbconv.hdl.link.identity import Identity, PortShape
from mbconv.models import load
from mbconv.schemas import schema
from mbconv.sim.board.simulated_board import SimulatedBoard
from mbconv.sim.golden import model as golden

CLOCK, BAUD = 24e6, 24e6 / 30  # as in test_board_protocol.py: one simulator for both
PATIENCE = 0.3


@pytest.fixture(scope="module")
def digits():
    return make_design(load("digits"), 8)


@pytest.fixture(scope="module")
def simulated(digits, tmp_path_factory):
    with SimulatedBoard(digits, CLOCK, BAUD, tmp_path_factory.mktemp("board") / "port") as board:
        yield board


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, (1, 8, 8, 1)).astype(np.int8)


def right(board: Board, graph, seed: int) -> bool:
    """Whether all outputs of a picture, the host's softmax among them, are the golden model's."""
    values = picture(seed)
    wanted = golden.run(graph, {graph.inputs[0]: values})
    found = board.outputs(values)
    return set(graph.outputs) <= set(found) and all((found[index] == wanted[index]).all() for index in found)


def test_board(simulated, digits):
    with Board(simulated.port, digits.graph) as board:
        assert board.identity == board.identify()
        assert (board.identity.name, board.identity.model) == ("digits", model_hash(digits.graph))
        assert all(right(board, digits.graph, seed) for seed in range(3))
        lone, many = board.measure(1), board.measure(5, seed=7)
        assert lone.exact and lone.cycles == digits.schedule.latency
        assert many.exact and many.interval == digits.schedule.interval
        assert board.status().signature == many.signature
    with Board(simulated.port) as board:
        values = picture(4)
        (output,) = (int(port[1:]) for port in digits.outputs)
        assert (board.predict(values[0]) == golden.run(digits.graph, {0: values})[output].reshape(1, 1, 10)).all()
        assert board.measure(2).exact is None


PERIOD = 149
DAMAGE = {
    "lost": lambda number, byte: b"" if number % PERIOD == 20 else bytes([byte]),
    "doubled": lambda number, byte: bytes([byte] * (2 if number % PERIOD == 20 else 1)),
    "flipped": lambda number, byte: bytes([byte ^ (0x10 if number % PERIOD == 20 else 0)]),
}


@pytest.mark.parametrize("way", ["down", "up"])
@pytest.mark.parametrize("kind", DAMAGE)
def test_bad_line(simulated, digits, kind, way):
    with (
        Cable(simulated.port, **{way: DAMAGE[kind]}) as cable,
        Board(cable.port, digits.graph, round(BAUD), patience=PATIENCE) as board,
    ):
        assert all(right(board, digits.graph, seed) for seed in range(6))
        found = board.measure(3)
        assert found.exact and found.as_predicted


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_random_damage(simulated, digits, seed):
    """A byte in a hundred is lost, doubled or flipped, in both ways: every answer that comes is right."""
    rng = np.random.default_rng(seed)
    print("seed", seed)

    def damage(_, byte):
        if rng.random() > 0.01:
            return bytes([byte])
        return [b"", bytes([byte, byte]), bytes([byte ^ 1 << rng.integers(8)])][rng.integers(3)]

    answered = 0
    with Cable(simulated.port, damage, damage) as cable:
        for attempt in range(20):
            try:
                with Board(cable.port, digits.graph, round(BAUD), patience=PATIENCE) as board:
                    for number in range(5):
                        assert right(board, digits.graph, 100 * seed + 5 * attempt + number)
                        answered += 1
            except BoardError:
                pass
    assert answered > 20
    with Board(simulated.port, digits.graph) as board:
        assert right(board, digits.graph, seed)


def test_reset(simulated, digits):
    with Board(simulated.port, digits.graph, round(BAUD), patience=PATIENCE) as board:
        assert right(board, digits.graph, 1)
        board.disturb()
        assert board.status().garbled
        simulated.reset()
        assert board.status().garbled == 0
        timer = threading.Timer(0.05, simulated.reset)
        timer.start()
        found = board.measure(10)
        timer.join()
        assert found.exact and found.as_predicted


def test_replug(simulated, digits):
    with Board(simulated.port, digits.graph, round(BAUD), patience=PATIENCE) as board:
        assert right(board, digits.graph, 1)
        simulated.unplug()
        simulated.plug()
        assert right(board, digits.graph, 2)
        simulated.unplug()
        started = time.monotonic()
        with pytest.raises(BoardError, match=r"gives no right answer to STATUS.*is not there"):
            board.status()
        assert time.monotonic() - started < 60
        simulated.plug()
        assert right(board, digits.graph, 3)


def test_wrong_network(simulated):
    with pytest.raises(WrongNetwork, match=r"holds digits \(model [0-9a-f]{16}\), not cifar10"):
        Board(simulated.port, load("cifar10"))


def test_pictures_that_do_not_fit(simulated, digits):
    with Board(simulated.port, digits.graph) as board:
        for values, message in (
            (np.zeros(65, int), "8×8×1 = 64 elements, the picture has 65"),
            (np.zeros((8, 8)), "not of float64"),
            (np.full(64, 128), "-128 to 127"),
        ):
            with pytest.raises(BoardError, match=message):
                board.predict(values)
        for arguments, message in (((0,), "1 to 65,535"), ((1, 0), "not 0"), ((65_535, 1 << 32), "32 bits")):
            with pytest.raises(BoardError, match=message):
                board.measure(*arguments)


def test_ports_that_are_none(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(BoardMissing, match="is not there: is the board plugged in"):
        Board(str(tmp_path / "nothing"))
    with pytest.raises(BoardMissing, match="is no serial port"):
        Board(str(file))


def stated(digits, **changes) -> bytes:
    fields = vars(identity(digits, BitLength(CLOCK, BAUD)))
    return Identity(**{**fields, **changes}).encode()


def answering(payload: bytes, kind: int = 0x80 | IDENTIFY):
    """A fake that gives this payload to every request, with its sequence number."""

    def answer(data: bytes) -> bytes:
        lines = [line for line in data.split(b"\0") if line]
        return b"".join(packet(kind, read_packet(line)[1], payload) for line in lines)

    return answer


FAKES = {
    "silent": (dict(), "nothing at .* answers"),
    "an echo": (dict(answer=lambda data: data), "nothing at .* answers"),
    "noise": (dict(unasked=bytes(range(256)) * 4), "nothing at .* answers"),
    "zeros": (dict(unasked=bytes(1000)), "nothing at .* answers"),
    "ones": (dict(unasked=b"\1" * 1000), "nothing at .* answers"),
    "a modem": (dict(answer=lambda data: b"\r\nOK\r\n"), "nothing at .* answers"),
    "another version": (dict(answer=answering(b"\2" + bytes(75))), "speaks version 2 of the link"),
    "half an identity": (dict(answer=answering(b"\1" + bytes(20))), "76 bytes was expected, 21 came"),
    "another answer": (dict(answer=answering(b"", 0x80 | 3)), "nothing at .* answers"),
}


@pytest.mark.parametrize("name", FAKES)
def test_what_is_no_board(name):
    options, message = FAKES[name]
    with Fake(**options) as fake:
        started = time.monotonic()
        with pytest.raises(BoardError, match=message):
            Board(fake.port, patience=0.1)
        assert time.monotonic() - started < 20


def test_wrong_clock(digits):
    with (
        Fake(answering(stated(digits, clock=12_000_000, baud=500_000))) as fake,
        pytest.raises(BoardError, match="is about 24 MHz, not the 12 MHz that it was built for"),
    ):
        Board(fake.port, baud=1_000_000)


def test_a_board_that_answers_wrongly(digits):
    """It identifies itself and then only repeats that: every other request ends with what came."""
    with (
        Fake(answering(stated(digits, baud=1_000_000))) as fake,
        Board(fake.port, patience=0.1) as board,
        pytest.raises(BoardError, match="no right answer to STATUS in 5 attempts: no answer in time"),
    ):
        board.status()


def test_sequence_and_signature():
    seed = 0x8000_0001
    bits = [seed >> place & 1 for place in range(32)]
    while len(bits) < 8 * 5000:
        bits.append(bits[-32] ^ bits[-31] ^ bits[-30] ^ bits[-10])
    wanted = np.packbits(np.array(bits, np.uint8), bitorder="little")
    assert all((sequence(seed, count) == wanted[:count]).all() for count in (0, 1, 31, 32, 33, 700, 5000))
    port = PortShape(5, True, 4, 1, 3, 2)  # two null bytes in each frame's last beat
    found = frames(port, seed, 3).reshape(3, 6)
    assert (found == ((wanted[:24].reshape(3, 8)[:, :6].astype(int) & 31) + 16) % 32 - 16).all()
    register = [1] * 32
    for byte in b"abcdef\0\0" + b"ghijkl\0\0":
        for place in range(8):
            register.append(register[-32] ^ register[-31] ^ register[-30] ^ register[-10] ^ byte >> place & 1)
    assert signature(port, b"abcdefghijkl") == sum(bit << place for place, bit in enumerate(register[-32:]))


def test_period_of_the_sequence():
    """x³² + x²² + x² + x + 1 is primitive: x has the order 2³² − 1 = 3·5·17·257·65537, and no lesser one."""
    polynomial = 1 << 32 | 1 << 22 | 0b111

    def product(a: int, b: int) -> int:
        total = 0
        while b:
            total ^= a * (b & 1)
            a, b = a << 1, b >> 1
            a ^= polynomial * (a >> 32)
        return total

    def power(exponent: int) -> int:
        result, base = 1, 2
        while exponent:
            result = product(result, base) if exponent & 1 else result
            base, exponent = product(base, base), exponent >> 1
        return result

    order = (1 << 32) - 1
    assert order == 3 * 5 * 17 * 257 * 65537
    assert power(order) == 1
    assert all(power(order // prime) != 1 for prime in (3, 5, 17, 257, 65537))


def test_commands(simulated, digits, tmp_path):
    np.save(tmp_path / "in.npy", picture(1))
    runner = CliRunner()
    predicted = ["predict", "digits", "--input", str(tmp_path / "in.npy"), "--json"]
    by_golden, by_board = runner.invoke(main, predicted), runner.invoke(main, [*predicted, "--port", simulated.port])
    assert by_board.exit_code == by_golden.exit_code == 0
    assert by_board.stdout == by_golden.stdout
    measured = runner.invoke(main, ["measure", "--port", simulated.port, "--frames", "3"])
    assert measured.exit_code == 0
    assert "interval 18,432 cycles, predicted 18,432" in measured.stdout
    assert "as the golden model's" in measured.stdout
    as_json = json.loads(runner.invoke(main, ["measure", "--port", simulated.port, "--frames", "2", "--json"]).stdout)
    jsonschema.validate(as_json, schema("measure"), cls=jsonschema.Draft202012Validator)
    assert as_json["exact"] and as_json["as_predicted"] and as_json["simulated"]
    tested = runner.invoke(main, ["selftest", "--port", simulated.port, "--frames", "3"])
    assert tested.exit_code == 0
    assert "selftest: passed (SIMULATED, no silicon)" in tested.stdout
    found = json.loads(runner.invoke(main, ["selftest", "--port", simulated.port, "--frames", "3", "--json"]).stdout)
    jsonschema.validate(found, schema("selftest"))
    assert found["ok"] and found["model"] == model_hash(load("digits")).hex() and len(found["checks"]) == 4
    assert tested.stdout.count("\nok    ") == 4
    for arguments in (["measure"], ["selftest"], predicted[:-1]):
        refused = runner.invoke(main, [*arguments, "--port", str(tmp_path / "nothing")])
        assert refused.exit_code == 2
        assert "is not there: is the board plugged in?" in refused.stderr
