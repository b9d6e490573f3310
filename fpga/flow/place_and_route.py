"""Place and route for ECP5 with nextpnr, out of context: no pins, so only paths between registers are timed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..ecp5.devices import Part
from .synthesis import Netlist
from .tools import NEXTPNR, ToolError, run_tool

_ROUTED = 0.05  # ns; wires within a carry chain take less and are not worth a line


@dataclass(frozen=True)
class PathStep:
    """A part of the critical path: ``kind`` is ``clk-to-q``, ``logic``, ``routing`` or ``setup``; ``cell`` where it
    ends."""

    kind: str
    delay_ns: float
    cell: str


@dataclass(frozen=True)
class Route:
    """What nextpnr made of one seed.

    Attributes:
        fmax_mhz: of the clock, between registers.
        path: the critical path.
        used, available: of each of the device's cells.
    """

    seed: int
    fmax_mhz: float
    path: tuple[PathStep, ...]
    used: dict[str, int]
    available: dict[str, int]


def place_and_route(netlist: Netlist, clock_name: str, part: Part, *, seed: int, target_mhz: float) -> Route:
    """Place and route a netlist in its folder.

    Args:
        clock_name: the port that is the clock.
        target_mhz: what nextpnr works for; a lower result is no error.

    Raises:
        ToolError: nextpnr is missing or failed: the design does not fit.
    """
    folder = netlist.json.parent
    report = folder / f"timing_{seed}.json"
    report.unlink(missing_ok=True)
    arguments = [
        part.option,
        *("--package", part.package, "--speed", str(part.speed)),
        *("--json", netlist.json.name, "--out-of-context", "--timing-allow-fail"),
        *("--freq", f"{target_mhz:g}", "--seed", str(seed), "--report", report.name),
    ]
    run_tool(NEXTPNR, arguments, folder, f"place_and_route_{seed}.log")
    if not report.exists():
        raise ToolError(f"{NEXTPNR} ended without a report, its log is {folder}/place_and_route_{seed}.log")
    return read_report(json.loads(report.read_text()), clock_name, seed)


def read_report(report: dict, clock_name: str, seed: int) -> Route:
    """A :class:`Route` from nextpnr's report."""
    clocks = [name for name in report["fmax"] if name == clock_name or name.endswith(f"${clock_name}")]
    if len(clocks) != 1:
        raise ToolError(f"nextpnr timed the clocks {sorted(report['fmax'])}, among which {clock_name} is not one")
    edge = f"posedge {clocks[0]}"
    path = next((p["path"] for p in report["critical_paths"] if p["from"] == edge and p["to"] == edge), [])
    return Route(
        seed,
        report["fmax"][clocks[0]]["achieved"],
        tuple(_step(step) for step in path if step["type"] != "routing" or step["delay"] > _ROUTED),
        {name: cell["used"] for name, cell in report["utilization"].items() if cell["used"]},
        {name: cell["available"] for name, cell in report["utilization"].items() if cell["used"]},
    )


def _step(step: dict) -> PathStep:
    end = step["from"] if step["type"] == "clk-to-q" else step["to"]
    return PathStep(step["type"], round(step["delay"], 3), f"{end['cell']}.{end['port']}")
