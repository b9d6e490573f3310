"""``--engine``: a program's table, its file, and what is refused."""

import json
import zlib

import pytest
from click.testing import CliRunner

from mbconv.cli import main
from mbconv.generators.engine.compile import compile_network
from mbconv.generators.engine.program_file import upload_bytes
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.models import load

SMALL = "map_words=512,weight_words=512,constant_words=256,tables=2,instructions=16"


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_plan_lists_the_instructions():
    result = run("plan", "digits", "--engine", SMALL)
    assert result.exit_code == 0
    assert "layer_02_depthwise" in result.output
    program = compile_network(load("digits", None), EngineParameters.parse(SMALL))
    assert f"a frame every {program.interval:,} cycles" in result.output


def test_cycles_at_a_clock_are_times():
    """digits on up5k: 15,291 cycles from its first element to its last result, the next frame one later."""
    command = ["plan", "digits", "--engine", "up5k", "--clock", "24"]
    line = "at 24 MHz 1,569.4 frames per second, a frame every 0.6372 ms, its result after 0.6371 ms"
    assert line in run(*command).output.splitlines()
    found = json.loads(run(*command, "--json").stdout)
    assert (found["cycles"], found["interval_cycles"], found["clock_mhz"]) == (15291, 15292, 24)
    assert (found["frames_per_second"], found["latency_ms"]) == (24e6 / 15292, 15291 / 24e3)
    assert "frames_per_second" not in json.loads(run(*command[:-2], "--json").stdout)


def test_a_simulation_at_a_clock():
    command = ["sim", "block:pointwise,height=2,width=2,channels=2", "--engine", SMALL, "--clock", "0.5"]
    found = json.loads(run(*command, "--json").stdout)
    interval, cycles = found["predicted_interval_cycles"], found["predicted_cycles"]
    assert found["measured_interval_cycles"] == [interval]
    assert (found["frames_per_second"], found["latency_ms"]) == (0.5e6 / interval, cycles / 500)
    assert f"at 0.5 MHz {0.5e6 / interval:,.1f} frames per second" in run(*command).output


@pytest.mark.parametrize(
    ("engine", "used"),
    [
        ("up5k", "weight_words 364 of 512, constant_words 178 of 256, tables 1 of 1"),
        ("up5k,constant_words=200,tables=2", "weight_words 364 of 512, constant_words 178 of 200, tables 1 of 2"),
        (" up5k , tables = 3", "weight_words 364 of 512, constant_words 178 of 256, tables 1 of 3"),
    ],
)
def test_a_named_engine(engine, used):
    result = run("plan", "digits", "--engine", engine)
    assert result.exit_code == 0
    assert used in result.output


def test_cycles_of_a_frame_that_waits_for_weights():
    """Of the interval, as the layers of --json have them."""
    command = ["plan", "digits", "--engine", "channels=4,weight_words=64,memory_bytes=1/2"]
    found = json.loads(run(*command, "--json").stdout)
    waits = sum(layer["waiting_cycles"] for layer in found["layers"])
    assert waits
    line = f"a frame every {found['interval_cycles']:,} cycles, {waits:,} waiting for weights"
    assert line in run(*command).output.splitlines()


def test_compile_writes_the_packet_behind_a_line_of_json(tmp_path):
    file = tmp_path / "digits.bin"
    result = run("compile", "digits", "--engine", SMALL, "-o", file, "--json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    line, packet = file.read_bytes().split(b"\n", 1)
    header = json.loads(line)
    program = compile_network(load("digits", None), EngineParameters.parse(SMALL))
    assert packet == upload_bytes(program)
    assert header["bytes"] == len(packet) and header["crc32"] == zlib.crc32(packet)
    assert header["cycles"] == answer["cycles"] == program.cycles
    assert answer["bytes"] == len(line) + 1 + len(packet)


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["plan", "digits", "--engine", "lanes=8"], ["'lanes=8' is none of an engine's parameters"]),
        (["plan", "digits", "--engine", "up5k,tables=2,tables=3"], ["tables is given twice"]),
        (["plan", "digits", "--engine", "tables=2,up5k"], ["'up5k' is none of an engine's parameters"]),
        (["plan", "digits", "--engine", SMALL, "--multipliers", "8"], ["takes no --multipliers"]),
        (["plan", "digits", "--engine", SMALL, "--fps", "8", "--clock", "24"], ["takes no --fps"]),
        (["plan", "digits", "--engine", SMALL, "--clock", "1e30"], ["clock must be from 0.001 to 100,000, not 1"]),
        (["plan", "digits", "--engine", "map_words=300"], ["need 448 words", "map_words = 300", "layer_02_depthwise"]),
        (
            ["plan", "digits", "--engine", "weight_words=100,instructions=9"],
            ["needs weight_words = 364", "instructions = 12, the engine has 9", "layer_07_pointwise needs"],
        ),
    ],
)
def test_what_does_not_fit_is_one_message(arguments, messages):
    result = run(*arguments)
    assert result.exit_code == 2
    for message in messages:
        assert message in result.output
    assert "Traceback" not in result.output


def test_nothing_is_left_of_a_program_that_does_not_fit(tmp_path):
    file = tmp_path / "network.bin"
    assert run("compile", "digits", "--engine", "map_words=300", "-o", file).exit_code == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits", "--engine", "up5k", "--board", "icebreaker"], "an engine is built without a MODEL"),
        (["--engine", "up5k"], "--engine is built for a board: give --board NAME"),
        (["--board", "icebreaker"], "give a MODEL, or --engine and --board"),
        (["--engine", "up6k", "--board", "icebreaker"], "--engine: 'up6k' is none of an engine's parameters"),
        (["--engine", "up5k", "--board", "icebreaker", "--multipliers", "8"], "--multipliers do not go with --engine"),
        (["--engine", "up5k,memory_bytes=1/2,port_bytes=0", "--board", "icebreaker"], "--engine: "),
        (["--engine", "memory_bytes=1/2", "--board", "ulx3s-85f"], "there is no memory outside"),
        (["--engine", "memory_bytes=2", "--board", "icebreaker"], "a flash, which gives one byte after another"),
        (["--engine", "up5k", "--board", "icebreaker", "--clock", "3"], "has no clock of 3 MHz or less"),
    ],
)
def test_bitstreams_of_engines_that_are_refused(tmp_path, arguments, message):
    folder = tmp_path / "build"
    result = run("build", *arguments, "-o", folder)
    assert result.exit_code == 2, result.output
    assert message in result.output and not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits", "--engine", SMALL], "an engine is served without a MODEL"),
        ([], "give a MODEL, or --engine"),
        (["--engine", "up5k", "--multipliers", "8"], "--multipliers do not go with --engine"),
        (["digits", "--engine", "memory_bytes=2"], "an engine is served without a MODEL"),
    ],
)
def test_boards_with_engines_that_are_not_served(arguments, message):
    result = run("serve", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
