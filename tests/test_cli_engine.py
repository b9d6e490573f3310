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


def test_a_named_engine():
    result = run("plan", "digits", "--engine", "up5k")
    assert result.exit_code == 0
    assert "weight_words 364 of 512" in result.output


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
        (["plan", "digits", "--engine", SMALL, "--multipliers", "8"], ["takes no --multipliers"]),
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
        (["--engine", "up5k,memory_bytes=1/2", "--board", "icebreaker"], "--engine: "),
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
