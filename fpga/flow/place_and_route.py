"""Place and route with nextpnr."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ..family import Part
from . import annealing, macro_groups, macro_wires, macros
from .macros import macro_places
from .step import done_once
from .synthesis import Netlist
from .tools import Doing, ToolError, check_not_ended, run_tool

_ROUTER = "--router"
_LARGE = 18_000
"""Cells of a netlist, of which two of 20,000 and one of 100,000 stood still with nextpnr's own router."""

_CROWDED = 0.5
_ROUTED = 0.05  # ns; wires within a carry chain take less and are not worth a line


@dataclass(frozen=True)
class PathStep:
    """A part of the critical path: ``kind`` is ``clk-to-q``, ``logic``, ``routing`` or ``setup``; ``cell`` where it
    ends."""

    kind: str
    delay_ns: float
    cell: str


@dataclass(frozen=True)
class Effort:
    """What place and route works for.

    Attributes:
        target_mhz: a lower result is no error.
        seeds: 1 to this are tried, of which the best counts.
        options: further arguments of nextpnr.
    """

    target_mhz: float
    seeds: int = 1
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Route:
    """What nextpnr made of one seed.

    Attributes:
        fmax_mhz: of the clock, between registers.
        path: the critical path.
        used: of each of the device's cells.
        placed: the placed and routed netlist as nextpnr writes it, with the place of each cell.
        output: the file for the packer; None where nextpnr writes none.
    """

    seed: int
    fmax_mhz: float
    path: tuple[PathStep, ...]
    used: dict[str, int]
    placed: Path | None = None
    output: Path | None = None


def place_and_route(
    netlist: Netlist,
    clock_name: str,
    part: Part,
    *,
    seed: int,
    effort: Effort,
    constraints: Path | None = None,
    doing: Doing | None = None,
) -> Route:
    """Place and route a netlist in its folder; a seed that was done there with the same netlist is not done again.

    Args:
        clock_name: the net that is the clock.
        constraints: the file of pins; without one the design is out of context.

    Raises:
        ToolError: nextpnr is missing or failed: the design does not fit.
    """
    folder = netlist.json.parent
    name = f"place_and_route_{seed}"
    report, output = folder / f"timing_{seed}.json", folder / f"routed_{seed}.txt"
    family = part.family
    source = netlist.json
    if constraints is None and not family.leaves_ports_open:
        source = folder / "out_of_context.json"
        source.write_text(without_ports(netlist, clock_name))
    check_macros(netlist, part)
    options = effort.options
    if _crowded(netlist, part):
        source = _with_macros_placed(source, netlist.top, part, seed, doing)
        large = sum(netlist.cells.values()) > _LARGE
        if large and family.router_where_crowded and not any(option.startswith(_ROUTER) for option in options):
            options = (_ROUTER, family.router_where_crowded, *options)
    relative = None if constraints is None else constraints.relative_to(folder)
    arguments = [
        *family.place_and_route(part, relative, output.name),
        *("--json", source.name, "--timing-allow-fail"),
        *("--freq", f"{effort.target_mhz:g}", "--seed", str(seed)),
        *("--report", report.name, "--detailed-timing-report", *options),
    ]
    placed = output  # of some families it is what the packer takes
    if "--write" not in arguments:
        placed = folder / f"placed_{seed}.json"
        arguments += ["--write", placed.name]
    outputs = [report.name, placed.name, *([output.name] if output.name in arguments else [])]

    def run() -> None:
        run_tool(family.nextpnr, arguments, folder, f"{name}.log", doing)
        if not report.exists():
            raise ToolError(f"{family.nextpnr} ended without a report, its log is {folder}/{name}.log")

    inputs = [*arguments, source, *([constraints] if constraints else [])]
    done_once(name, folder, family.nextpnr, inputs, outputs, run)
    packed = output if output.name in arguments else None
    return read_report(json.loads(report.read_text()), clock_name, seed, placed, packed)


def check_macros(netlist: Netlist, part: Part) -> None:
    """Refuse a netlist with more DSP blocks or block RAMs than a part has.

    Raises:
        ToolError: it has; with how many of each.
    """
    counts = {kind: (netlist.cells.get(kind, 0), part.cells[kind]) for kind in part.family.macros}
    lacking = [f"{needed} {kind} of {there}" for kind, (needed, there) in counts.items() if needed > there]
    if lacking:
        raise ToolError(f"{part.device} is too small for the synthesised netlist: it needs {' and '.join(lacking)}")


def _crowded(netlist: Netlist, part: Part) -> bool:
    """Macros take so much of their rows that nextpnr, which places them with all else, would spread stages out."""
    return any(netlist.cells.get(kind, 0) > _CROWDED * part.cells[kind] for kind in part.family.macros)


def _with_macros_placed(netlist: Path, top: str, part: Part, seed: int, doing: Doing | None) -> Path:
    """A netlist that says where each macro goes."""
    name = f"macros_{seed}"
    written = netlist.with_name(f"{name}.json")

    sites = part.family.macro_sites(part)

    def said(what: str) -> None:
        check_not_ended()
        if doing is not None:
            doing(what)

    def run() -> None:
        content = json.loads(netlist.read_text(encoding="utf-8"))
        places = macro_places(content, top, sites, seed, said)
        for cell, place in places.items():
            content["modules"][top]["cells"][cell]["attributes"]["BEL"] = place
        written.write_text(json.dumps(content))

    algorithm = [Path(module.__file__) for module in (annealing, macro_groups, macro_wires, macros)]
    inputs = [netlist, *algorithm, sites, seed]  # another algorithm gives other places
    done_once(name, netlist.parent, part.family.nextpnr, inputs, [written.name], run)
    return written


def without_ports(netlist: Netlist, clock_name: str) -> str:
    """A netlist's text for nextpnr of which only the clock is a port, for families that have no way to place a design
    without pins: nets at the other ports have no driver or no reader, so that nothing there takes a pin or is timed."""
    content = json.loads(netlist.json.read_text())
    top = content["modules"][netlist.top]
    top["ports"] = {name: port for name, port in top["ports"].items() if name == clock_name}
    return json.dumps(content)


def read_report(
    report: dict, clock_name: str, seed: int, placed: Path | None = None, output: Path | None = None
) -> Route:
    """A :class:`Route` from nextpnr's report, in which a clock's name may have those of its buffers around it."""
    named = re.compile(rf"(^|\$|\.){re.escape(clock_name)}($|\$|_)")
    clocks = [name for name in report["fmax"] if named.search(name)]
    if len(report["fmax"]) == 1:  # whatever synthesis called it
        clocks = list(report["fmax"])
    if len(clocks) != 1:
        raise ToolError(f"nextpnr timed the clocks {sorted(report['fmax'])}, among which {clock_name} is not one")
    edge = f"posedge {clocks[0]}"
    path = next((p["path"] for p in report["critical_paths"] if p["from"] == edge and p["to"] == edge), [])
    return Route(
        seed,
        report["fmax"][clocks[0]]["achieved"],
        tuple(_step(step) for step in path if step["type"] != "routing" or step["delay"] > _ROUTED),
        {name: cell["used"] for name, cell in report["utilization"].items()},
        placed,
        output,
    )


def _step(step: dict) -> PathStep:
    end = step["from"] if step["type"] == "clk-to-q" else step["to"]
    return PathStep(step["type"], round(step["delay"], 3), f"{end['cell']}.{end['port']}")
