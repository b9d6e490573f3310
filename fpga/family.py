"""What a family of FPGAs is to the flow: its devices, the cells behind the primitives, and how its tools are called."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from mbconv.generators.graph.graph import GraphError
from mbconv.generators.planning.device import Device
from mbconv.hdl.verilog import Verilog

from .flow.macros import Site
from .flow.pll import Pll, Reference
from .primitives.memory import BlockRamCell, SinglePortCell
from .primitives.sources import cell_sources

DEVICES = "devices.json"


@dataclass(frozen=True)
class CellKind:
    """A kind of cell that a report counts.

    Attributes:
        key: in ``build.json``.
        title: in a table.
        utilisation: nextpnr's name; empty where it does not count them, and the netlist's cells are counted instead.
        netlist: how the types of the netlist's cells begin.
    """

    key: str
    title: str
    utilisation: str = ""
    netlist: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pin:
    """A pin of a package and its attributes (I/O standard, pull), as the family's constraints name them."""

    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A device in a package at a speed grade.

    Attributes:
        speed: empty where a family has no grades.
        resources: what the planner may use of it.
        cells: how many of each kind it has, by nextpnr's names.
    """

    family: Family
    device: str
    package: str
    speed: str

    @property
    def resources(self) -> Device:
        return self.family.resources(self.device)

    @property
    def cells(self) -> Mapping[str, int]:
        return self.family.table[self.device]["cells"]

    def __str__(self) -> str:
        grade = f", speed grade {self.speed}" if self.speed else ""
        return f"{self.device}, package {self.package}{grade}"


class Family(ABC):
    """A family of FPGAs; one object each, in :mod:`mbconv.fpga.families`.

    Attributes:
        name: such as ``ECP5``.
        nextpnr: the package of place and route, and its module and function.
        kinds: the cells that reports count; ``lut``, ``ff``, ``dsp`` and ``block_ram`` are there in every family.
        folder: of the family's files.
        memory: the block RAM.
        target_mhz: what place and route works for where no clock is asked for: above what designs reach.
        macros: types of cells, by nextpnr's names, that lie in rows of their own and whose places may be chosen before
            nextpnr places the rest.
        router_where_crowded: nextpnr's router for a large netlist whose macros were placed so; empty: its own choice.
        lowest_reference_mhz: what the PLL's maker gives as the slowest reference; 0 where every board's is faster.
        leaves_ports_open: nextpnr can place a design out of context; elsewhere its netlist gets no ports but the clock.
    """

    name: ClassVar[str]
    nextpnr: ClassVar[str]
    kinds: ClassVar[tuple[CellKind, ...]]
    folder: ClassVar[Path]
    memory: ClassVar[BlockRamCell]
    target_mhz: ClassVar[float]
    macros: ClassVar[tuple[str, ...]] = ()
    router_where_crowded: ClassVar[str] = ""
    lowest_reference_mhz: ClassVar[float] = 0.0
    leaves_ports_open: ClassVar[bool] = False

    @cached_property
    def _survey(self) -> dict[str, Any]:
        return json.loads((self.folder / DEVICES).read_text(encoding="utf-8"))

    @property
    def table(self) -> dict[str, dict[str, Any]]:
        """What the tools say of each device: ``packages``, ``speeds``, ``cells``; smaller devices first."""
        return self._survey["devices"]

    @property
    def tools(self) -> dict[str, str]:
        """The versions that the table was read from."""
        return self._survey["tools"]

    @abstractmethod
    def survey(self) -> dict[str, dict[str, Any]]:
        """The table, asked of the tools anew."""

    @abstractmethod
    def resources(self, device: str) -> Device:
        """A device as the planner sees it."""

    def part(self, device: str, package: str | None = None, speed: str | None = None) -> Part:
        """A part; by default in the package with the most pins and the slowest grade. Case does not matter.

        Raises:
            GraphError: there is no such part; the message lists what there is.
        """
        device = _known(device, self.table, f"no {self.name} device is called {device!r}; there are")
        entry = self.table[device]
        package = (
            entry["packages"][0]
            if package is None
            else _known(package, entry["packages"], f"{device} has no package {package!r}; it has")
        )
        speeds = self.speeds(device, package)
        if speed is None:
            speed = speeds[0] if speeds else ""
        elif not speeds:
            raise GraphError(f"{device} has no speed grades: leave --speed {speed} out")
        else:
            speed = _known(str(speed), speeds, f"{device} has no speed grade {speed}; it has")
        return Part(self, device, package, speed)

    def part_of_number(self, number: str, die: str) -> Part | None:
        """The part of a maker's number and the die that the number leaves open, where a family's boards are described
        so; None for another family's."""
        return None

    def speeds(self, device: str, package: str) -> Sequence[str]:
        """The speed grades of a device in a package, slowest first."""
        return self.table[device]["speeds"]

    def sources(self, verilog: Verilog, part: Part) -> dict[str, str]:
        """File name → text of a design with the family's cells in place of the primitives."""
        return cell_sources(verilog, self.folder, self.memory, part.resources, self.single_port(part))

    def single_port(self, part: Part) -> SinglePortCell | None:
        """A device's memory block of one port; None where memories of one port are block RAM."""
        return None

    @abstractmethod
    def synthesis(self, part: Part, reads: str, top: str, json: str, verilog: str, pins: bool) -> str:
        """Yosys' script: reads sources (``reads``, commands), writes the netlist for nextpnr and as Verilog.

        Args:
            pins: the top's ports are pins of the device; otherwise they get no buffers.
        """

    def mended(self, netlist: dict[str, Any], top: str) -> dict[str, Any]:
        """A netlist in Yosys' JSON, with what nextpnr does not take as Yosys writes it made good."""
        return netlist

    @abstractmethod
    def place_and_route(self, part: Part, constraints: Path | None, output: str) -> list[str]:
        """nextpnr's arguments beyond netlist, seed, frequency and report. Ports that no pin is given for are refused.

        Args:
            constraints: the file of pins; None for a design out of context.
            output: the file that it writes for the packer; nothing is written out of context.
        """

    def macro_sites(self, part: Part) -> Mapping[str, Sequence[Site]]:
        """The sites of each type of :attr:`macros`."""
        return {}

    @abstractmethod
    def constraints(self, pins: Mapping[str, Pin]) -> tuple[str, str]:
        """The name and the text of the file that puts ports on pins; a port that is an input is pulled up."""

    @abstractmethod
    def pack(self, part: Part, routed: str, name: str) -> tuple[str, list[str], str]:
        """The packer, its arguments, and the bitstream's file, whose name begins with ``name``."""

    def pll(self, part: Part, reference: Reference, wanted_mhz: float) -> Pll | None:
        """The setting of highest clock up to the one wanted; None where there is none, or no PLL that the tools set."""
        return None

    @abstractmethod
    def models(self) -> dict[str, str]:
        """File name → Verilog of the cells' simulation models, for Verilator."""


def _known(asked: str, known: Sequence[str] | Mapping[str, Any], refusal: str) -> str:
    """The name as it is written in a table, whatever its case.

    Raises:
        GraphError: there is none.
    """
    found = next((name for name in known if name.lower() == asked.lower()), None)
    if found is None:
        raise GraphError(f"{refusal} {', '.join(known)}")
    return found
