"""An out-of-context implementation for ECP5: synthesis, then place and route with a few seeds, of which the best
counts."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mbconv.hdl.verilog import Verilog

from ..ecp5.devices import Part
from ..ecp5.sources import ecp5_sources, multipliers
from .place_and_route import Route, place_and_route
from .synthesis import Netlist, synthesise
from .tools import tool_versions

MOST_SEEDS = 4


@dataclass(frozen=True)
class Implementation:
    """What an implementation takes and reaches.

    Attributes:
        netlist: the synthesised design.
        routes: of all seeds, in their order.
        multipliers: products of the MAC arrays; those that are not DSP blocks are rows of carry chains.
        versions: of the tools' packages.
    """

    part: Part
    target_mhz: float
    netlist: Netlist
    routes: tuple[Route, ...]
    multipliers: int
    versions: dict[str, str]

    @property
    def best(self) -> Route:
        return max(self.routes, key=lambda route: route.fmax_mhz)

    @property
    def luts(self) -> int:
        """Four-input tables: logic, carry chains and distributed RAM."""
        return self.best.used.get("TRELLIS_COMB", 0)

    @property
    def registers(self) -> int:
        return self.best.used.get("TRELLIS_FF", 0)

    @property
    def dsp_blocks(self) -> int:
        return self.best.used.get("MULT18X18D", 0)

    @property
    def block_rams(self) -> int:
        return self.best.used.get("DP16KD", 0)

    @property
    def critical_path(self) -> tuple[str, str]:
        """The stages in which the best seed's critical path begins and ends."""
        path = self.best.path
        return (stage_of(path[0].cell), stage_of(path[-1].cell)) if path else ("", "")

    def to_dict(self) -> dict:
        """For ``--json``."""
        best = self.best
        start, end = self.critical_path
        available = best.available
        return {
            "device": self.part.device,
            "package": self.part.package,
            "speed": self.part.speed,
            "target_mhz": self.target_mhz,
            "fmax_mhz": round(best.fmax_mhz, 2),
            "seed": best.seed,
            "seeds": {str(route.seed): round(route.fmax_mhz, 2) for route in self.routes},
            "lut": self.luts,
            "ff": self.registers,
            "dsp": self.dsp_blocks,
            "block_ram": self.block_rams,
            "available": {
                name: available.get(cell, 0)
                for name, cell in (
                    ("lut", "TRELLIS_COMB"),
                    ("ff", "TRELLIS_FF"),
                    ("dsp", "MULT18X18D"),
                    ("block_ram", "DP16KD"),
                )
            },
            "mac_multipliers": self.multipliers,
            "critical_path": {
                "from": start,
                "to": end,
                "delay_ns": round(sum(step.delay_ns for step in best.path), 2),
                "steps": [[step.kind, step.delay_ns, step.cell] for step in best.path],
            },
            "tools": self.versions,
        }


def stage_of(pin: str) -> str:
    """The stage that a pin (``instance.….cell.port``) of the flat netlist belongs to: the instance below the network's
    core, or below the top."""
    instances = pin.split(".")[:-2]
    if len(instances) > 1 and instances[0] == "core":
        return instances[1]
    return instances[0] if instances else "top"


def implement(
    verilog: Verilog,
    clock_name: str,
    folder: Path,
    part: Part,
    *,
    seeds: int = MOST_SEEDS,
    target_mhz: float = 150.0,
    progress: Callable[[str], None] | None = None,
) -> Implementation:
    """Implement a design's Verilog for ECP5 without pins.

    Args:
        verilog: the design with the behavioural primitives, which are replaced. Products for which the device has no
            DSP block are rows of carry chains.
        clock_name: of the top's port.
        folder: where sources, netlist, logs and reports go.
        seeds: nextpnr runs with the seeds 1 to this, at most 4, as many at once as there are processors.
        target_mhz: what nextpnr works for.
        progress: called with a line of text at each step.

    Raises:
        ValueError: no seed or more than 4.
        ToolError: a tool is missing or failed: the design does not fit.
    """
    if not 1 <= seeds <= MOST_SEEDS:
        raise ValueError(f"1 to {MOST_SEEDS} seeds are tried, not {seeds}")
    report = progress or (lambda line: None)
    versions = tool_versions()
    report("synthesis")
    sources = ecp5_sources(verilog, dsp_blocks=part.resources.multipliers)
    netlist = synthesise(sources, verilog.top, folder)
    report(f"place and route, {seeds} seed{'s' if seeds > 1 else ''}")

    def routed(seed: int) -> Route:
        route = place_and_route(netlist, clock_name, part, seed=seed, target_mhz=target_mhz)
        report(f"place and route: seed {seed} gave {route.fmax_mhz:.1f} MHz")
        return route

    with ThreadPoolExecutor(min(seeds, os.cpu_count() or 1)) as pool:
        routes = tuple(pool.map(routed, range(1, seeds + 1)))
    return Implementation(part, target_mhz, netlist, routes, sum(multipliers(verilog.text)), versions)
