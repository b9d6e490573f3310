"""The boards: what the table reads from platforms, a user's own, and what is refused."""

import json
import sys
from importlib.resources import files

import pytest
from amaranth.build import Attrs, Clock, Connector, Pins, Resource, Subsignal
from amaranth.vendor import LatticeECP5Platform
from apycula.chipdb import load_chipdb
from click.testing import CliRunner

from mbconv.cli import main
from mbconv.fpga.boards import boards, find_board
from mbconv.fpga.families import FAMILIES
from mbconv.generators.graph.graph import GraphError

PINS = {  # clock, MHz, receive, transmit: the statement of each board's maker or of a second source (fpga/boards)
    "ulx3s-85f": ("G2", 25, "M1", "L4"),
    "icepi-zero": ("M1", 50, "K16", "K15"),
    "icesugar-pro": ("P6", 25, "A9", "B9"),
    "colorlight-i5": ("P3", 25, "H18", "J17"),
    "colorlight-i9": ("P3", 25, "H18", "J17"),
    "icebreaker": ("35", 12, "6", "9"),
    "tang-nano-9k": ("52", 27, "18", "17"),
    "tang-nano-20k": ("4", 27, "70", "69"),
    "tang-primer-20k": ("H11", 27, "T13", "M11"),
    "crosslink-nx-evn": ("L13", 12, "F16", "F18"),
    "crosslink-nx-evn-pll": ("L13", 12, "F16", "F18"),
}


@pytest.mark.parametrize("name", PINS)
def test_pins(name):
    board = find_board(name)
    assert (board.clock.name, board.clock_mhz, board.rx.name, board.tx.name) == PINS[name]


@pytest.mark.parametrize(
    ("name", "bits", "clock", "lines"),
    [
        ("ulx3s-85f", 16, "F19", 39),
        ("colorlight-i5", 32, "B9", 49),
        ("colorlight-i9", 32, "B9", 49),
        ("tang-nano-20k", 32, "IOR11B", 55),
    ],
)
def test_pins_of_an_sdram(name, bits, clock, lines):
    """As many as it has, each once, and none that another line of the board has."""
    board = find_board(name)
    assert board.sdram_timing.data_bits == bits and board.sdram["sdram_clk"].name == clock
    pins = [pin.name for pin in (*board.sdram.values(), board.clock, board.rx, board.tx)]
    assert len(board.sdram) == lines and len(set(pins)) == lines + 3
    assert find_board("icebreaker").sdram_timing is None


MAKERS_SDRAM = {  # the tables "SDRAM (U18)" of wuxx/Colorlight-FPGA-Projects, README.md and colorlight_i9_v7.2.md
    "clk": "B9", "ras_n": "B10", "cas_n": "A9", "we_n": "A10", "ba": "B11 C8",
    "a": "B13 C14 A16 A17 B16 B15 A14 A13 A12 A11 B12",
    "dq": "B6 A5 A6 A7 C7 B8 B5 A8 D8 D7 E8 D6 C6 D5 E7 C5 C10 D9 E11 D11 C11 D12 E9 C12 E14 C15 E13 D15 E12 B17 D14 "
    "D13",
}  # fmt: skip


@pytest.mark.parametrize("name", ["colorlight-i5", "colorlight-i9"])
def test_pins_of_a_colorlights_sdram_are_its_makers(name):
    """Data lines may be in another order, as a memory gives back on each what came in on it."""
    found = {}
    for port, pin in find_board(name).sdram.items():
        found.setdefault(port.removeprefix("sdram_").partition("[")[0], []).append(pin.name)
    for wanted in (found, makers := {line: pins.split() for line, pins in MAKERS_SDRAM.items()}):
        wanted["dq"].sort()
    assert found == makers


def test_pads_of_the_sdram_in_a_package_are_those_of_apycula():
    """By the vendor's names, which nextpnr knows."""
    database = load_chipdb(str(files("apycula") / "GW2A-18C.msgpack.xz"))
    names = {"O_sdram_addr": "a", "O_sdram_wen_n": "we_n"}
    wanted = {}
    for signal, row, column, half, standard in database.sip_cst["GW2AR-18C"]["QFN88"]:
        name, bracket, index = signal.partition("[")
        port = f"sdram_{names.get(name, name.partition('sdram_')[2])}{bracket}{index}"
        side = {0: "L", database.cols - 1: "R"}[column]
        wanted[port] = f"IO{side}{row + 1}{half}", {"IO_TYPE": standard}
    found = find_board("tang-nano-20k").sdram
    assert {port: (pin.name, dict(pin.attributes)) for port, pin in found.items()} == wanted


def test_names():
    assert len({board.name for board in boards()}) == len(boards())
    for board in boards():
        assert board.device.name in str(board)
        assert find_board(board.name.upper().replace("-", " ")) is board
    with pytest.raises(GraphError, match=r"there is no board 'ice-braker' .did you mean icebreaker.*; the boards are"):
        find_board("ice-braker")
    with pytest.raises(GraphError, match="there is no board 'de10'; the boards are ulx3s-12f"):
        find_board("de10")


def test_every_family_has_a_board():
    assert {board.part.family.name for board in boards()} == {family.name for family in FAMILIES}


def test_the_command():
    done = CliRunner().invoke(main, ["boards", "--json"])
    rows = {row["name"]: row for row in json.loads(done.stdout)["boards"]}
    assert rows["icebreaker"]["uart"] == {"rx": "6", "tx": "9"} and rows["icebreaker"]["multipliers"] == 16
    assert rows["orangecrab-25f"]["uart"] is None
    lines = CliRunner().invoke(main, ["boards"]).stdout.splitlines()
    assert sum("LFE5U-85F-CABGA381" in line for line in lines) == 1 and len(lines) >= len(rows) + 2


class Own(LatticeECP5Platform):
    device, package, speed, default_clk = "LFE5U-45F", "BG381", "7", "osc"
    resources = (
        Resource("osc", 0, Pins("A4", dir="i"), Clock(16e6), Attrs(IO_TYPE="LVCMOS33")),
        Resource(
            "uart",
            0,
            Subsignal("rx", Pins("1", dir="i", conn=("header", 0))),
            Subsignal("tx", Pins("2", dir="o", conn=("header", 0)), Attrs(DRIVE="4")),
            Attrs(IO_TYPE="LVCMOS33"),
        ),
    )
    connectors = (Connector("header", 0, "B1 C2"),)


class NoClock(Own):
    default_clk = "other"


class OtherPackage(Own):
    package = "QFN"


class OtherDevice(Own):
    device = "XC7A35T"


class Incomplete(LatticeECP5Platform):
    device = "LFE5U-45F"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """This module by a name, and the path of imports as it was afterwards."""
    module = type(sys)("boards_of_tests")
    module.__dict__.update(Own=Own, NoClock=NoClock, OtherPackage=OtherPackage, OtherDevice=OtherDevice,
                           Incomplete=Incomplete)  # fmt: skip
    monkeypatch.setitem(sys.modules, "boards_of_tests", module)
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_a_board_of_the_users_own(tmp_path, monkeypatch):
    (tmp_path / "my_boards_here.py").write_text("from boards_of_tests import Own as Mine\n")
    monkeypatch.chdir(tmp_path)
    board = find_board("my_boards_here:Mine")
    assert (board.part.device, board.part.package, board.part.speed) == ("LFE5U-45F", "CABGA381", "7")
    assert (board.clock_mhz, board.rx.name, board.tx.name) == (16, "B1", "C2")
    assert board.tx.attributes == {"IO_TYPE": "LVCMOS33", "DRIVE": "4"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_such_module:Board", "there is no module no_such_module"),
        ("mbconv.fpga.boards.colorlight:I5", "has no class I5"),
        ("{}:NoClock", "has no clock"),
        ("{}:OtherPackage", "has no package 'QFN'; it has CABGA554"),
        ("{}:OtherDevice", "'XC7A35T' is not recognized"),
        ("{}:Incomplete", "Incomplete is no complete platform"),
    ],
)
def test_refusals(name, words):
    with pytest.raises(GraphError) as refusal:
        find_board(name.format("boards_of_tests"))
    assert words in str(refusal.value) and "\n" not in str(refusal.value)
