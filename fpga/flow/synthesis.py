"""Synthesis with Yosys: from a design's Verilog to a netlist of a family's cells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..family import Part
from .step import done_once
from .tools import YOSYS, Doing, ToolError, run_tool


@dataclass(frozen=True)
class Netlist:
    """A synthesised design.

    Attributes:
        top: the module.
        json: the file for nextpnr.
        verilog: the same netlist as Verilog, of the family's cells.
        cells: how many of each type.
    """

    top: str
    json: Path
    verilog: Path
    cells: dict[str, int]


def synthesise(
    sources: Mapping[str, str], top: str, folder: Path, part: Part, *, pins: bool = False, doing: Doing | None = None
) -> Netlist:
    """Synthesise modules for a part; what was done in this folder from the same sources is not done again.

    Args:
        sources: file name → text, as :meth:`~mbconv.fpga.family.Family.sources` makes them; written to ``folder``.
        pins: the top's ports are pins of the device.
        doing: called with what Yosys is doing.

    Raises:
        ToolError: Yosys is missing or failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in sources.items():
        (folder / name).write_text(text)
    netlist, verilog = folder / "netlist.json", folder / "netlist.v"
    # `-defer`: modules are made only with the parameters that they are used with.
    reads = "\n".join(f"read_verilog -defer {name}" for name in sources)
    script = part.family.synthesis(part, reads, top, netlist.name, verilog.name, pins)
    (folder / "synthesis.ys").write_text(script)

    def run() -> None:
        run_tool(YOSYS, ["synthesis.ys"], folder, "synthesis.log", doing)
        # The WebAssembly build can stop without a word: the files count.
        if not (netlist.exists() and verilog.exists()):
            raise ToolError(f"{YOSYS} ended without a netlist, its log is {folder / 'synthesis.log'}")
        netlist.write_text(json.dumps(part.family.mended(json.loads(netlist.read_text()), top)))

    done_once("synthesis", folder, YOSYS, [script, *sources.items()], [netlist.name, verilog.name], run)
    return Netlist(top, netlist, verilog, count_cells(netlist, top))


def count_cells(netlist: Path, top: str) -> dict[str, int]:
    """Cells of the top module of a flat netlist, by type."""
    module = json.loads(netlist.read_text(encoding="utf-8"))["modules"][top]
    return dict(sorted(Counter(cell["type"] for cell in module["cells"].values()).items()))
