"""An out-of-context implementation for ECP5: synthesis, then place and route with a few seeds, of which the best
counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mbconv.hdl.verilog import Verilog

from .ecp5_sources import ecp5_sources, multipliers
from .place_and_route import Route, place_and_route
from .synthesis import Netlist, synthesise
from .tools import tool_versions

MOST_SEEDS = 4


@dataclass(frozen=True)
class BuildReport:
    """What an implementation takes and reaches.

    Attributes:
        netlist: the synthesised design.
        routes: of all seeds, in their order.
        multipliers: products of the design; those that are not DSP blocks are rows of carry chains.
        versions: of the tools' packages.
    """

    device: str
    package: str
    speed: int
    clock: str
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
        return {
            "device": self.device,
            "package": self.package,
            "speed": self.speed,
            "clock": self.clock,
            "target_mhz": self.target_mhz,
            "fmax_mhz": round(best.fmax_mhz, 2),
            "seed": best.seed,
            "seeds": {str(route.seed): round(route.fmax_mhz, 2) for route in self.routes},
            "lut": self.luts,
            "ff": self.registers,
            "dsp": self.dsp_blocks,
            "block_ram": self.block_rams,
            "multipliers": self.multipliers,
            "available": best.available,
            "critical_path": {
                "from": start,
                "to": end,
                "delay_ns": round(sum(step.delay_ns for step in best.path), 2),
                "steps": [[step.kind, step.delay_ns, step.cell] for step in best.path],
            },
            "versions": self.versions,
        }


def stage_of(cell: str) -> str:
    """The stage that a cell belongs to, from its name in the flat netlist: the instance below the top, or below the
    network's core."""
    parts = cell.split(".")
    return parts[1] if parts[0] == "core" and len(parts) > 2 else parts[0]


def build_ecp5(
    verilog: Verilog,
    clock_name: str,
    folder: Path,
    *,
    device: str = "LFE5U-85F",
    package: str = "CABGA756",
    speed: int = 6,
    seeds: Sequence[int] = (1, 2, 3, 4),
    target_mhz: float = 150.0,
    dsp_blocks: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> BuildReport:
    """Implement a design's Verilog for ECP5 without pins.

    Args:
        verilog: the design with the behavioural primitives, which are replaced.
        clock_name: of the top's port.
        folder: where sources, netlist, logs and reports go.
        seeds: of nextpnr, at most 4.
        target_mhz: what nextpnr works for.
        dsp_blocks: see :func:`~mbconv.fpga.ecp5_sources.ecp5_sources`.
        progress: called with a line of text at each step.

    Raises:
        ValueError: no seed or more than 4.
        GraphError: the device is unknown, or a tool is missing or failed.
    """
    if not 1 <= len(seeds) <= MOST_SEEDS:
        raise ValueError(f"1 to {MOST_SEEDS} seeds are tried, not {len(seeds)}")
    report = progress or (lambda line: None)
    versions = tool_versions()
    report("synthesis")
    netlist = synthesise(ecp5_sources(verilog, dsp_blocks=dsp_blocks), verilog.top, folder)
    routes = []
    for seed in seeds:
        report(f"place and route, seed {seed}")
        route = place_and_route(
            netlist, clock_name, device=device, package=package, speed=speed, seed=seed, target_mhz=target_mhz
        )
        report(f"seed {seed}: {route.fmax_mhz:.1f} MHz")
        routes.append(route)
    return BuildReport(
        device, package, speed, clock_name, target_mhz, netlist, tuple(routes), sum(multipliers(verilog.text)), versions
    )
