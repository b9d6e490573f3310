"""Synthesis for ECP5 with Yosys: from a design's Verilog to a netlist of cells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .tools import YOSYS, ToolError, run_tool

# `splitnets` before the script avoids Yosys issues 4349 and 4451 (a failed assertion in abc9, or nets driven twice);
# before `flatten` it crashes Yosys 0.70. `-defer`: modules are made only with the parameters that they are used with.
_SCRIPT = """read_verilog -lib +/ecp5/cells_sim.v +/ecp5/cells_bb.v
{read}
hierarchy -check -top {top}
proc
flatten
splitnets
synth_ecp5 -top {top} -json {json}
write_verilog -noattr {verilog}
"""


@dataclass(frozen=True)
class Netlist:
    """A synthesised design.

    Attributes:
        top: the module.
        json: the file for nextpnr.
        verilog: the same netlist as Verilog, of ECP5's cells.
        cells: how many of each cell.
    """

    top: str
    json: Path
    verilog: Path
    cells: dict[str, int]


def synthesise(sources: Mapping[str, str], top: str, folder: Path) -> Netlist:
    """Synthesise modules for ECP5.

    Args:
        sources: file name → text, as :func:`~mbconv.fpga.ecp5.sources.ecp5_sources` makes them; written to ``folder``.

    Raises:
        ToolError: Yosys is missing or failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in sources.items():
        (folder / name).write_text(text)
    netlist, verilog = folder / "netlist.json", folder / "netlist.v"
    stale = [netlist, verilog, *folder.glob("timing_*.json"), *folder.glob("place_and_route_*.log")]
    for path in stale:  # of an earlier run
        path.unlink(missing_ok=True)
    read = "\n".join(f"read_verilog -defer {name}" for name in sources)
    script = _SCRIPT.format(read=read, top=top, json=netlist.name, verilog=verilog.name)
    (folder / "synthesis.ys").write_text(script)
    run_tool(YOSYS, ["-q", "synthesis.ys"], folder, "synthesis.log")
    # The WebAssembly build can stop without a word: the files count.
    if not (netlist.exists() and verilog.exists()):
        raise ToolError(f"{YOSYS} ended without a netlist, its log is {folder / 'synthesis.log'}")
    return Netlist(top, netlist, verilog, count_cells(netlist, top))


def count_cells(netlist: Path, top: str) -> dict[str, int]:
    """Cells of the top module of a flat netlist, by type."""
    module = json.loads(netlist.read_text())["modules"][top]
    return dict(sorted(Counter(cell["type"] for cell in module["cells"].values()).items()))
