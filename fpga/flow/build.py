"""An implementation out of context: synthesis, then place and route with a few seeds, of which the best counts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mbconv.hdl.cells import MultiplierCell
from mbconv.hdl.verilog import Verilog

from ..family import CellKind, Part
from .folder import build_folder
from .place_and_route import Effort, Route, place_and_route
from .stages import stage_of
from .synthesis import Netlist, synthesise
from .tools import YOSYS, tool_threads, tool_versions

MOST_SEEDS = 4

Report = Callable[[str, str], None]
"""Called with the name of a step, and what it is doing; the latter empty when the step is done."""


@dataclass(frozen=True)
class Count:
    """How many cells of a kind are used; ``available`` is None where the kind has no number of its own."""

    kind: CellKind
    used: int
    available: int | None


@dataclass(frozen=True)
class Implementation:
    """What an implementation takes and reaches.

    Attributes:
        effort: of place and route.
        netlist: the synthesised design.
        routes: of all seeds, in their order.
        multipliers: the design's products, of arrays and of requantisations; those that are not in DSP blocks are rows
            of carry chains.
        versions: of the tools' packages.
    """

    part: Part
    effort: Effort
    netlist: Netlist
    routes: tuple[Route, ...]
    multipliers: tuple[MultiplierCell, ...]
    versions: dict[str, str]

    @property
    def best(self) -> Route:
        return max(self.routes, key=lambda route: route.fmax_mhz)

    @property
    def counts(self) -> tuple[Count, ...]:
        """What the best seed uses of each kind of cell, and what the device has."""
        return tuple(
            Count(kind, self.best.used.get(kind.utilisation, 0), self.part.cells.get(kind.utilisation, 0))
            if kind.utilisation
            else Count(kind, sum(n for cell, n in self.netlist.cells.items() if cell.startswith(kind.netlist)), None)
            for kind in self.part.family.kinds
        )

    @property
    def mac_multipliers(self) -> int:
        """Products of the MAC arrays."""
        return sum(cell.count for cell in self.multipliers if cell.of_array)

    @property
    def mac_multipliers_in_dsp(self) -> int:
        """Those of them that are in DSP blocks; the others are rows of carry chains."""
        return sum(cell.dsp_count for cell in self.multipliers if cell.of_array)

    @property
    def critical_path(self) -> tuple[str, str]:
        """The stages in which the best seed's critical path begins and ends."""
        path = self.best.path
        return (stage_of(path[0].cell), stage_of(path[-1].cell)) if path else ("", "")

    def to_dict(self) -> dict:
        """For ``--json``."""
        best = self.best
        start, end = self.critical_path
        return {
            "device": self.part.device,
            "package": self.part.package,
            "speed": self.part.speed,
            "target_mhz": self.effort.target_mhz,
            "nextpnr_options": list(self.effort.options),
            "fmax_mhz": round(best.fmax_mhz, 2),
            "seed": best.seed,
            "seeds": {str(route.seed): round(route.fmax_mhz, 2) for route in self.routes},
            **{count.kind.key: count.used for count in self.counts},
            "available": {count.kind.key: count.available for count in self.counts if count.available is not None},
            "mac_multipliers": self.mac_multipliers,
            "mac_multipliers_in_dsp": self.mac_multipliers_in_dsp,
            "critical_path": {
                "from": start,
                "to": end,
                "delay_ns": round(sum(step.delay_ns for step in best.path), 2),
                "steps": [[step.kind, step.delay_ns, step.cell] for step in best.path],
            },
            "tools": self.versions,
        }


def implement(
    verilog: Verilog,
    clock_name: str,
    folder: Path,
    part: Part,
    *,
    seeds: int = MOST_SEEDS,
    target_mhz: float = 150.0,
    options: Sequence[str] = (),
    progress: Report | None = None,
) -> Implementation:
    """Implement a design's Verilog for a part without pins. What was done in this folder before is not done again.

    Args:
        verilog: the design with the behavioural primitives, which are replaced. Products for which the device has no
            DSP block are rows of carry chains.
        clock_name: of the top's port.
        folder: where sources, netlist, logs and reports go.
        seeds: nextpnr runs with the seeds 1 to this, at most 4, as many at once as there are processors.
        target_mhz: what nextpnr works for.
        options: further arguments of nextpnr.

    Raises:
        ValueError: no seed or more than 4.
        GraphError: the folder holds files of others.
        ToolError: a tool is missing or failed: the design does not fit.
    """
    report = progress or (lambda step, doing: None)
    versions = tool_versions(YOSYS, part.family.nextpnr)
    with build_folder(folder):
        sources = part.family.sources(verilog, part)
        netlist = synthesise(sources, verilog.top, folder, part, doing=lambda doing: report("synthesis", doing))
        report("synthesis", "")

        effort = Effort(target_mhz, seeds, tuple(options))
        routes = route_seeds(netlist, clock_name, part, effort, report=report)
        return Implementation(part, effort, netlist, routes, tuple(verilog.multipliers), versions)


def route_seeds(
    netlist: Netlist,
    clock_name: str,
    part: Part,
    effort: Effort,
    *,
    constraints: Path | None = None,
    report: Report,
) -> tuple[Route, ...]:
    """Place and route with the seeds 1 to ``effort.seeds``, as many at once as there are processors.

    Raises:
        ValueError: no seed or more than 4.
        ToolError: nextpnr is missing or failed.
    """
    if not 1 <= effort.seeds <= MOST_SEEDS:
        raise ValueError(f"1 to {MOST_SEEDS} seeds are tried, not {effort.seeds}")

    def routed(seed: int) -> Route:
        def doing(what: str) -> None:
            report(f"place and route, seed {seed}", what)

        route = place_and_route(
            netlist, clock_name, part, seed=seed, effort=effort, constraints=constraints, doing=doing
        )
        doing("")
        return route

    with tool_threads(min(effort.seeds, os.cpu_count() or 1)) as pool:
        return tuple(pool.map(routed, range(1, effort.seeds + 1)))
