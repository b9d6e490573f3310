"""Steps that are done once, and tools that stream, fail and are ended."""

import json
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from mbconv.fpga.boards import find_board
from mbconv.fpga.families import find_part
from mbconv.fpga.flow import bitstream, place_and_route, step, tools
from mbconv.fpga.flow.build import Implementation
from mbconv.fpga.flow.misfit import explaining, explaining_engine, next_smaller
from mbconv.fpga.flow.place_and_route import Route, check_macros, without_ports
from mbconv.fpga.flow.synthesis import Netlist
from mbconv.fpga.flow.tools import ToolError, run_tool, tool_threads
from mbconv.generators.emission.design import make_design
from mbconv.models import load


@pytest.fixture(autouse=True)
def versions(monkeypatch):
    """No tool is needed here: those that run are Python."""
    found = {"tool": "1"}
    monkeypatch.setattr(step, "tool_versions", lambda program: dict(found))
    monkeypatch.setattr(tools, "tool_versions", lambda program: dict(found))
    return found


def test_a_step_is_done_once(tmp_path, versions):
    made = []

    def run(text="made"):
        made.append(text)
        (tmp_path / "out").write_text(text)

    def done(*inputs, run=run):
        return step.done_once("step", tmp_path, "tool", inputs, ["out"], run)

    assert done("a", 1) and not done("a", 1) and len(made) == 1
    assert done("a", 2) and not done("a", 2), "other inputs"
    assert done("a", "2"), "a text is no number"
    (tmp_path / "source").write_text("first")
    assert done(tmp_path / "source") and not done(tmp_path / "source")
    (tmp_path / "source").write_text("second")
    assert done(tmp_path / "source"), "a file counts by its content"
    (tmp_path / "out").write_text("changed by somebody")
    assert done(tmp_path / "source") and (tmp_path / "out").read_text() == "made"
    versions["tool"] = "2"
    assert done(tmp_path / "source"), "another version of the tool"
    assert not done(tmp_path / "source")

    def interrupted():
        (tmp_path / "out").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        done("b", run=interrupted)
    assert done("b")


def test_output_streams_to_the_log(tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "_LAUNCH", "import time; print('Info: half way', flush=True); time.sleep(2)")
    seen = []
    run_tool("tool", [], tmp_path, "log", lambda line: seen.append((line, (tmp_path / "log").read_text())))
    assert seen[0] == ("half way", "Info: half way\n")


def test_a_failure_in_the_tools_own_words(tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "_LAUNCH", "print('line'); print('ERROR: it does not fit'); raise SystemExit(3)")
    with pytest.raises(ToolError, match=r"^tool failed \(exit 3\), its log is .*/log:\nERROR: it does not fit$"):
        run_tool("tool", [], tmp_path, "log")


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ToolError])
def test_every_tool_ends_when_one_fails_or_the_user_interrupts(fault, tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "_LAUNCH", "import time; time.sleep(100)")
    started = time.monotonic()
    with pytest.raises(fault), tool_threads(2) as pool:
        waiting = [pool.submit(run_tool, "tool", [], tmp_path, f"log{i}") for i in range(4)]
        time.sleep(1)
        raise fault("now")
    assert time.monotonic() - started < 30
    assert all(future.done() for future in waiting) and not tools._running
    monkeypatch.setattr(tools, "_LAUNCH", "import time; time.sleep(1)")
    run_tool("tool", [], tmp_path, "log")  # the next one is not ended


@pytest.mark.skipif(sys.platform != "linux", reason="a process is told of its parent's end by Linux alone")
def test_a_tool_ends_with_a_killed_build(tmp_path):
    """Killed so that nothing of ours can run any more."""
    launch = (
        tools._LAUNCH.split("from importlib")[0] + "import os, time; print(os.getpid(), flush=True); time.sleep(100)"
    )
    program = (
        "from pathlib import Path; from mbconv.fpga.flow import tools; "
        f"tools._LAUNCH = {launch!r}; tools.tool_versions = lambda program: {{}}; "
        f"tools.run_tool('tool', [], Path({str(tmp_path)!r}), 'log')"
    )
    build = subprocess.Popen([sys.executable, "-c", program])
    end = time.monotonic() + 60
    while not ((tmp_path / "log").exists() and (tmp_path / "log").read_text()):
        assert time.monotonic() < end and build.poll() is None
        time.sleep(0.1)
    tool = int((tmp_path / "log").read_text())
    build.kill()
    build.wait()
    while Path(f"/proc/{tool}/stat").exists() and Path(f"/proc/{tool}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < end, "the tool is still running"
        time.sleep(0.1)


def test_a_netlist_without_ports_keeps_its_clock_and_cells(tmp_path):
    ports = {"clk": {"direction": "input", "bits": [2]}, "a": {"direction": "input", "bits": [3]}}
    cells = {"ff": {"type": "SB_DFF", "connections": {"C": [2], "D": [3]}}}
    path = tmp_path / "netlist.json"
    path.write_text(json.dumps({"modules": {"top": {"ports": ports, "cells": cells}}}))
    found = json.loads(without_ports(Netlist("top", path, path, {}), "clk"))["modules"]["top"]
    assert found == {"ports": {"clk": ports["clk"]}, "cells": cells}


def test_further_options_reach_nextpnr_and_others_are_another_step(tmp_path, monkeypatch):
    part = find_board("colorlight-i5").part
    netlist = Netlist("top", tmp_path / "netlist.json", tmp_path / "netlist.v", {})
    netlist.json.write_text(json.dumps({"modules": {"top": {"ports": {}, "cells": {}}}}))
    ran = []

    def run_tool(program, arguments, folder, log, doing):
        ran.append(arguments)
        report = {"fmax": {"clk": {"achieved": 99.0}}, "critical_paths": [], "utilization": {}}
        for option, text in (("--report", json.dumps(report)), ("--write", "")):
            (folder / arguments[arguments.index(option) + 1]).write_text(text)

    monkeypatch.setattr(place_and_route, "run_tool", run_tool)
    for options in ((), (), ("--router", "router2")):
        effort = place_and_route.Effort(70.0, options=options)
        assert place_and_route.place_and_route(netlist, "clk", part, seed=1, effort=effort).fmax_mhz == 99
    plain, further = ran
    assert "--router" not in plain and further[further.index("--router") + 1] == "router2"
    assert all(arguments[arguments.index("--freq") + 1] == "70" for arguments in ran)


@pytest.mark.parametrize(
    ("given", "luts", "router"),
    [((), 20_000, ["router2"]), ((), 5_000, []), (("--router", "router1"), 20_000, ["router1"])],
)
def test_many_cells_around_crowded_macros_are_routed_by_router2(tmp_path, monkeypatch, given, luts, router):
    """Unless the user names another."""
    part, ran = find_board("colorlight-i5").part, []
    crowd = {"MULT18X18D": part.cells["MULT18X18D"], "LUT4": luts}
    netlist = Netlist("top", tmp_path / "netlist.json", tmp_path / "netlist.v", crowd)
    netlist.json.write_text("{}")
    report = {"fmax": {"clk": {"achieved": 99.0}}, "critical_paths": [], "utilization": {}}

    def run_tool(program, arguments, folder, log, doing):
        ran.append(arguments)
        for option, text in (("--report", json.dumps(report)), ("--write", "")):
            (folder / arguments[arguments.index(option) + 1]).write_text(text)

    monkeypatch.setattr(place_and_route, "run_tool", run_tool)
    monkeypatch.setattr(place_and_route, "_with_macros_placed", lambda source, *rest: source)
    effort = place_and_route.Effort(70.0, options=given)
    place_and_route.place_and_route(netlist, "clk", part, seed=1, effort=effort)
    (arguments,) = ran
    assert [value for name, value in pairwise(arguments) if name == "--router"] == router


@pytest.mark.parametrize("frequency", [None, 70.0])
def test_each_attempt_at_a_clock_has_a_folder_and_the_bitstream_lies_above_them(frequency, tmp_path, monkeypatch):
    """The first two attempts miss their clocks, the third meets it; place and route works for the first clock in all of
    them, or for what it is asked."""
    reached = iter([100.0, 90.0, 95.0])  # MHz
    asked, made, packed = [], [], []

    def implement(verilog, board, pll, flash, effort, folder, report):
        asked.append((folder, effort))
        route = Route(1, next(reached), (), {}, output=folder / "routed_1.txt")
        return Implementation(board.part, effort, None, (route,), 1, {})

    def top(design, clock):
        made.append(clock / 1e6)
        return SimpleNamespace(bit=SimpleNamespace(baud=1e6))

    monkeypatch.setattr(bitstream, "_implement", implement)
    monkeypatch.setattr(bitstream, "tool_versions", lambda *programs: {})
    monkeypatch.setattr(bitstream, "board_top", top)
    monkeypatch.setattr(bitstream, "board_bundle", lambda design, top: SimpleNamespace(made=None))
    monkeypatch.setattr(bitstream, "done_once", lambda name, folder, program, inputs, *rest: packed.append(inputs))
    board = find_board("colorlight-i5")
    net = SimpleNamespace(name="net")
    found = bitstream.build_bitstream(net, board, tmp_path, target_mhz=frequency, options=["--x"])
    assert [folder.name for folder, _ in asked] == ["attempt_1", "attempt_2", "attempt_3"]
    assert [effort.target_mhz for _, effort in asked] == [frequency or made[0]] * 3
    assert all(effort.seeds == 1 and effort.options == ("--x",) for _, effort in asked)
    first, second, third = made
    assert first == 150 and second <= 96 and third <= 0.96 * 90 and found.clock_mhz == third
    assert "attempt_3/routed_1.txt" in packed[0] and found.path == tmp_path / "net.bit"


def test_a_failed_placement_names_the_largest_stages_and_a_smaller_plan(tmp_path):
    part = find_board("colorlight-i5").part
    design = make_design(load("digits"), multipliers=25, family=part.resources.circuits)
    cells = {
        f"board.edges.core.layer_0{stage}_x.lut{i}": {"type": "LUT4"} for stage in (1, 2) for i in range(5 * stage)
    }
    cells |= {"board.server.lut": {"type": "LUT4"}, "note": {"type": "$scopeinfo"}}
    (tmp_path / "netlist.json").write_text(json.dumps({"modules": {"top": {"cells": cells}, "LUT4": {"cells": {}}}}))

    def fail():
        with explaining(design, part, tmp_path):
            raise ToolError("ERROR: it does not fit")

    with pytest.raises(ToolError, match=r"^ERROR: it does not fit$"):
        fail()  # nothing was synthesised: that netlist is of another time
    (tmp_path / "synthesis.done").touch()
    for words in ("ERROR: package does not have a pin named '99' (on line 3)", "ERROR: Pin 1 not found (pin# style)"):
        with pytest.raises(ToolError) as failure, explaining(design, part, tmp_path):
            raise ToolError(words)
        assert str(failure.value) == f"{words}\nthe pins are the board's, with those of --uart in place of its UART's"
    with pytest.raises(ToolError) as failure:
        fail()
    words, largest, smaller = str(failure.value).splitlines()
    assert words == "ERROR: it does not fit"
    assert largest == "largest stages: layer_02_x (10 cells), layer_01_x (5 cells), server (1 cells)"
    found = next_smaller(design, part)
    assert found.multipliers < design.multipliers and found.plan.interval > design.plan.interval
    assert smaller.startswith(f"the next smaller plan that should fit: --multipliers {found.multipliers}, ")


def test_more_macros_than_a_part_has(tmp_path):
    """Said before they would be placed, with what of an engine takes them."""
    part = find_part("LFE5U-85F")
    rams, products = part.cells["DP16KD"], part.cells["MULT18X18D"]

    def netlist(**cells):
        return Netlist("top", tmp_path / "netlist.json", tmp_path / "netlist.v", cells)

    check_macros(netlist(DP16KD=rams, MULT18X18D=products, TRELLIS_COMB=9), part)
    (tmp_path / "synthesis.done").touch()
    with pytest.raises(ToolError) as failure, explaining_engine(part, tmp_path):
        check_macros(netlist(DP16KD=rams + 1, MULT18X18D=products + 2), part)
    message = str(failure.value)
    assert f"needs {products + 2} MULT18X18D of {products} and {rams + 1} DP16KD of {rams}" in message
    assert "fewer map_words" in message
