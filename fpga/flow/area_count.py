"""How many cells circuits take, measured by the tools: what a design of a few stages costs after synthesis."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from mbconv.generators.emission.design import Design
from mbconv.hdl.stream_graph import Port, Stream, StreamGraph
from mbconv.hdl.verilog import Verilog, to_verilog

from ..family import Part
from .place_and_route import without_ports
from .synthesis import synthesise
from .tools import run_tool

_PACKED = re.compile(r"ICESTORM_LC:\s*(\d+)/")


@dataclass(frozen=True)
class Area:
    """Cells of a circuit.

    Attributes:
        cells: what is compared: an iCE40's logic cells after packing; else the four-input tables, two for a carry cell
            and six for a distributed RAM cell.
        registers, multipliers, memories: flip-flops, DSP blocks, block RAMs.
    """

    cells: int
    registers: int
    multipliers: int
    memories: int

    def to_dict(self) -> dict[str, int]:
        return asdict(self)


def stage_verilog(design: Design, name: str) -> Verilog:
    """The Verilog of one stage of a design with the memories of its periodic streams; its inputs and output are
    ports."""
    stage = next(stage for stage in design.stages if stage.name == name)
    circuits = {stage.name: stage.component}
    streams = [Stream(port, Port("", port), (Port(stage.name, port),)) for port in stage.inputs]
    streams.append(Stream("o", Port(stage.name, "o"), (Port("", "o"),)))
    for port, rom in stage.rom_sources(design.family).items():
        source = f"{stage.name}_{port}"
        circuits[f"{source}_rom"] = rom
        streams.append(Stream(source, Port(f"{source}_rom", "o"), (Port(stage.name, port),)))
    return to_verilog(StreamGraph(circuits, streams, stage.inputs, ["o"], family=design.family), name)


def measure(verilog: Verilog, part: Part, folder: Path, clock: str) -> Area:
    """Synthesise a circuit for a part and count its cells; an iCE40's are packed, which joins tables and registers.

    Args:
        clock: the top's clock port.

    Raises:
        ToolError: a tool is missing or failed.
    """
    netlist = synthesise(part.family.sources(verilog, part), verilog.top, folder, part)

    def count(*prefixes: str) -> int:
        return sum(number for cell, number in netlist.cells.items() if cell.startswith(prefixes))

    registers = count("TRELLIS_FF", "SB_DFF")
    multipliers, memories = count("MULT18X18D", "SB_MAC16"), count("DP16KD", "SB_RAM40")
    cells = count("LUT4") + 2 * count("CCU2C") + 6 * count("TRELLIS_DPR16X4")
    if part.family.name == "iCE40":
        (folder / "packed.json").write_text(without_ports(netlist, clock))
        arguments = part.family.place_and_route(part, None, "packed.asc")
        arguments = [argument for argument in arguments if argument not in ("--asc", "packed.asc")]
        log = run_tool(part.family.nextpnr, [*arguments, "--json", "packed.json", "--pack-only"], folder, "packing.log")
        cells = int(_PACKED.findall(log)[-1])
    return Area(cells, registers, multipliers, memories)
