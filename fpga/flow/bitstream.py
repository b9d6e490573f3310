"""A bitstream for a board: a design behind the board's UART, its clock from a PLL, placed on the board's pins.

The clock is part of what is built (the UART's divider, the board's answer to who it is), so it must be known first.
Where none is asked for, the design is routed once for the family's usual target, then built again for the highest clock
that the PLL makes of the oscillator and that was reached, less a margin, and so on downwards until one meets its own;
place and route works for the first attempt's clock in all of them.
Each of these attempts has a folder of its own, so that an interrupted search goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import inf
from pathlib import Path

from mbconv.generators.emission.board import board_bundle, board_top, linked_cost
from mbconv.generators.emission.design import Design
from mbconv.generators.emission.engine_board import FLASH_ADDRESS, NAME, engine_top, engine_verilog
from mbconv.generators.graph.graph import GraphError
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.hdl.link.board_top import BoardTop
from mbconv.hdl.link.engine_top import EngineTop
from mbconv.hdl.verilog import Verilog

from ..boards import FpgaBoard
from .build import Implementation, Report, route_seeds
from .folder import build_folder
from .memory_pads import MemoryPads, has_pads, memory_pads
from .misfit import explaining, explaining_engine
from .place_and_route import Effort
from .pll import Pll, Reference
from .step import done_once
from .synthesis import Netlist, synthesise
from .tools import YOSYS, run_tool, tool_versions

TOP = "mbconv_board_pins"
CLOCK = "core_clk"
_ATTEMPTS = 5
_WORTH_ANOTHER_BUILD = 1.05
_NEARLY = 1.05
"""How many times the fastest clock of a board may be asked for, who may have rounded it."""

_MARGIN = 0.96
"""Of the clock that a build reached, what the next asks for: results vary by some percent from one netlist and clock
to the next."""


@dataclass(frozen=True)
class Bitstream:
    """What was built for a board.

    Attributes:
        clock_mhz: of the design, met by the best seed.
        baud: of the UART.
        path: the file for the board's loader.
        top: the design or engine with its link, without pins and PLL.
    """

    board: FpgaBoard
    clock_mhz: float
    baud: float
    path: Path
    made: Implementation
    top: BoardTop | EngineTop


@dataclass(frozen=True)
class _Work:
    """What goes onto a board.

    Attributes:
        top: makes it for a clock in Hz.
        verilog: of what was made.
        explaining: explains what does not fit, for a folder.
    """

    name: str
    top: Callable[[float], BoardTop | EngineTop]
    verilog: Callable[[BoardTop | EngineTop], Verilog]
    explaining: Callable[[Path], AbstractContextManager]


def build_bitstream(
    design: Design,
    board: FpgaBoard,
    folder: Path,
    *,
    clock_mhz: float | None = None,
    target_mhz: float | None = None,
    seeds: int = 1,
    options: Sequence[str] = (),
    progress: Report | None = None,
) -> Bitstream:
    """Build a bitstream in a folder; what was done there before from the same input is not done again.

    Args:
        clock_mhz: the clock asked for, of which the PLL makes the highest that is not above it; by default the highest
            that is met.
        target_mhz: what place and route works for; the clock unless given. Asked for more than it reaches it may end
            below what it reaches where it is asked for less.
        options: further arguments of nextpnr.

    Raises:
        GraphError: the folder holds files of others, the board has no UART, the PLL makes no such clock, or the clock
            is not met.
        ToolError: a tool is missing or failed.
    """
    work = _Work(
        design.name,
        lambda clock: board_top(design, clock),
        lambda top: board_bundle(design, top).made,
        lambda place: explaining(design, board.part, place, linked_cost),
    )
    return _build(work, board, folder, clock_mhz, target_mhz, seeds, options, progress)


def build_engine(
    parameters: EngineParameters,
    board: FpgaBoard,
    folder: Path,
    *,
    clock_mhz: float | None = None,
    target_mhz: float | None = None,
    seeds: int = 1,
    options: Sequence[str] = (),
    progress: Report | None = None,
) -> Bitstream:
    """Build an engine's bitstream, as :func:`build_bitstream` builds a design's.

    Raises: the same.
    """
    work = _engine_work(parameters, board)
    check_bitstream(board, clock_mhz)
    work.top(_clock(board, clock_mhz or board.part.family.target_mhz)[0] * 1e6)  # refused before there is a folder
    return _build(work, board, folder, clock_mhz, target_mhz, seeds, options, progress)


def _engine_work(parameters: EngineParameters, board: FpgaBoard) -> _Work:
    circuits = board.part.resources.circuits
    flash = FLASH_ADDRESS if has_pads(board, "flash") else None
    sdram = board.sdram_timing if has_pads(board, "sdram") else None
    return _Work(
        NAME,
        lambda clock: engine_top(parameters, clock, flash=flash, sdram=sdram, family=circuits),
        engine_verilog,
        lambda place: explaining_engine(board.part, place),
    )


def engine_netlist(
    parameters: EngineParameters, board: FpgaBoard, folder: Path, clock_mhz: float
) -> tuple[Netlist, EngineTop]:
    """What would be placed for a board, of an engine: as :func:`board_netlist` of a design."""
    clock, source = _clock(board, clock_mhz)
    work = _engine_work(parameters, board)
    top = work.top(clock * 1e6)
    pads = memory_pads(board, top)
    return _synthesised(work.verilog(top), board, source, pads, folder, lambda step, doing: None), top


def _build(
    work: _Work,
    board: FpgaBoard,
    folder: Path,
    clock_mhz: float | None,
    target_mhz: float | None,
    seeds: int,
    options: Sequence[str],
    progress: Report | None,
) -> Bitstream:
    check_bitstream(board, clock_mhz)
    report = progress or (lambda step, doing: None)
    family = board.part.family
    wanted = clock_mhz or family.target_mhz
    asked = target_mhz or _clock(board, wanted)[0]  # of every attempt: what is asked for less ends lower
    with build_folder(folder):
        tool_versions(YOSYS, family.nextpnr, family.pack(board.part, "", "")[0])
        file = family.pack(board.part, "", work.name)[2]
        for attempt in range(_ATTEMPTS):
            clock, source = _clock(board, wanted)
            top = work.top(clock * 1e6)
            verilog = work.verilog(top)
            place = folder if clock_mhz is not None else folder / f"attempt_{attempt + 1}"
            with work.explaining(place):
                pads = memory_pads(board, top)
                effort = Effort(asked, seeds, tuple(options))
                made = _implement(verilog, board, source, pads, effort, place, report)
            reached = made.best.fmax_mhz
            if reached >= clock:
                # Only the first attempt, whose clock was a guess, may turn out to be too modest.
                higher = _clock(board, reached * _MARGIN)[0] if clock_mhz is None and attempt == 0 else clock
                if higher <= clock * _WORTH_ANOTHER_BUILD:
                    return _pack(board, clock, top, made, folder, work.name, report)
            elif clock_mhz is not None:
                for stale in (folder / file, folder / "bitstream.done"):  # of another clock
                    stale.unlink(missing_ok=True)
                raise GraphError(
                    f"{clock:g} MHz are not met: {work.name} on {board.title} reaches {reached:.1f} MHz (the best of "
                    f"{seeds} seeds), and no bitstream is written; --clock {reached:.1f} or less, more --seeds, or "
                    "another --frequency"
                )
            wanted = reached * _MARGIN
        raise GraphError(
            f"{work.name} on {board.title} met no clock in {_ATTEMPTS} attempts, the last {clock:g} MHz with "
            f"{reached:.1f} MHz reached: ask for a lower one, --clock {0.9 * reached:.0f}"
        )


def check_bitstream(board: FpgaBoard, clock_mhz: float | None) -> None:
    """Refuse what no design makes possible.

    Raises:
        GraphError: the board has no UART, or its PLL makes no clock as slow as asked for, or none nearly as fast.
    """
    if board.rx is None or board.tx is None:
        raise GraphError(f"{board.title} has no UART: name its pins, --uart RX,TX")
    _clock(board, clock_mhz or board.part.family.target_mhz)
    if clock_mhz is None:
        return
    fastest, _ = _clock(board, inf)
    if clock_mhz > fastest * _NEARLY:
        raise GraphError(
            f"{board.title} has no clock near {clock_mhz:g} MHz: of its oscillator's {board.clock_mhz:g} MHz "
            f"{_most(board, fastest)}; --clock {fastest:g} or less"
        )


def _most(board: FpgaBoard, fastest: float) -> str:
    if fastest > board.clock_mhz:
        return f"its PLL makes {fastest:g} at most"
    lowest = board.part.family.lowest_reference_mhz
    return "no PLL makes more" + (f", which takes {lowest:g} MHz or more" if board.clock_mhz < lowest else "")


def _clock(board: FpgaBoard, wanted: float) -> tuple[float, Pll | None]:
    """The highest clock up to the one wanted: the oscillator's own, or a PLL's."""
    reference = Reference(board.clock_mhz, board.clock.name, board.pll_below_range)
    found = board.part.family.pll(board.part, reference, wanted)
    if found is not None and (found.mhz > board.clock_mhz or wanted < board.clock_mhz):
        return found.mhz, found
    if board.clock_mhz <= wanted * (1 + 1e-9):
        return board.clock_mhz, None
    raise GraphError(
        f"{board.title} has no clock of {wanted:g} MHz or less: its oscillator makes {board.clock_mhz:g} MHz, and its "
        "PLL nothing as slow"
    )


def _implement(
    verilog: Verilog,
    board: FpgaBoard,
    pll: Pll | None,
    pads: MemoryPads | None,
    effort: Effort,
    folder: Path,
    report: Report,
) -> Implementation:
    part, family = board.part, board.part.family
    netlist = _synthesised(verilog, board, pll, pads, folder, report)
    pins = {"clk": board.clock, "rx": board.rx, "tx": board.tx, **(pads.pins if pads else {})}
    name, text = family.constraints(pins)
    (folder / name).write_text(text)
    routes = route_seeds(
        netlist,
        CLOCK if pll else "clk",
        part,
        effort,
        constraints=folder / name,
        report=report,
    )
    versions = tool_versions(YOSYS, family.nextpnr)
    return Implementation(part, effort, netlist, routes, tuple(verilog.multipliers), versions)


def board_netlist(design: Design, board: FpgaBoard, folder: Path, clock_mhz: float) -> tuple[Netlist, BoardTop]:
    """What would be placed for a board at the highest clock up to the one asked for, and the design with its link.

    Raises:
        GraphError: the PLL makes no such clock.
        ToolError: Yosys is missing or failed.
    """
    clock, source = _clock(board, clock_mhz)
    top = board_top(design, clock * 1e6)
    return _synthesised(board_bundle(design, top).made, board, source, None, folder, lambda step, doing: None), top


def _synthesised(
    verilog: Verilog, board: FpgaBoard, pll: Pll | None, pads: MemoryPads | None, folder: Path, report: Report
) -> Netlist:
    sources = {**board.part.family.sources(verilog, board.part), f"{TOP}.v": _pins(verilog.top, pll, pads)}
    sources |= pads.source if pads else {}
    found = synthesise(sources, TOP, folder, board.part, pins=True, doing=lambda doing: report("synthesis", doing))
    report("synthesis", "")
    return found


def _pins(top: str, pll: Pll | None, memory: MemoryPads | None) -> str:
    """The module whose ports are pins. Its reset is the PLL's lock, through two registers, which begin at 0."""
    clock = (
        f"    wire {CLOCK}, locked;\n{pll.verilog}\n" if pll else f"    wire {CLOCK} = clk;\n    wire locked = 1'b1;\n"
    )
    ports, pads, lines = (memory.port_text, memory.instance(CLOCK), memory.line_text) if memory else ("", "", "")
    return (
        f"module {TOP} (\n    input wire clk,\n    input wire rx,\n    output wire tx{ports}\n);\n{clock}"
        f"    reg [1:0] released = 2'b00;\n    always @(posedge {CLOCK}) released <= {{released[0], locked}};\n"
        f"{pads}    {top} board (.clk({CLOCK}), .rst(~released[1]), .rx(rx), .tx(tx), .active(){lines});\nendmodule\n"
    )


def _pack(
    board: FpgaBoard,
    clock: float,
    top: BoardTop | EngineTop,
    made: Implementation,
    folder: Path,
    name: str,
    report: Callable[[str, str], None],
) -> Bitstream:
    routed = made.best.output.relative_to(folder).as_posix()
    program, arguments, file = board.part.family.pack(board.part, routed, name)

    def run() -> None:
        run_tool(program, arguments, folder, "bitstream.log", lambda doing: report("bitstream", doing))

    done_once("bitstream", folder, program, [*arguments, made.best.output], [file], run)
    report("bitstream", "")
    return Bitstream(board, clock, float(top.bit.baud), folder / file, made, top)
