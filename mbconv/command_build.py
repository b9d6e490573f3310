"""``mbconv build``: a model's circuit through synthesis, place and route: a bitstream for a board, or a device without
pins; and its netlist simulated."""

from __future__ import annotations

from dataclasses import replace

import click

from .cli_errors import UserError, require_extra
from .cli_options import (
    Number,
    Words,
    existing_file,
    json_option,
    layers_option,
    optional_model_argument,
    output_folder,
)
from .cli_output import print_json, progress_console, results, simulation_progress, step_progress
from .cli_simulation import print_result
from .cli_target import target_design, target_options
from .command_build_report import FLOORPLAN, REPORT, board_answer, draw_floorplan, print_files, print_made, write_report

DEFAULT_DEVICE = "LFE5U-85F"


@click.command(short_help="A bitstream for a board; or an FPGA without pins.")
@optional_model_argument
@layers_option
@target_options
@click.option(
    "--engine",
    metavar="NAME=N,…",
    help="With --board, without MODEL: an engine, to which networks are uploaded (docs/engine_boards.md).",
)
@click.option("--device", help="An FPGA without pins; its package may follow, as in iCE40UP5K-SG48.  "
              f"[default: {DEFAULT_DEVICE}]")  # fmt: skip
@click.option("--package", help="Its package.  [default: the one with the most pins]")
@click.option("--speed", help="Its speed grade, where it has any.  [default: the slowest]")
@click.option(
    "--uart", metavar="RX,TX", help="The pins of a UART on --board, where the board has none or another is meant."
)
@click.option("--frequency", type=Number(1, 2000), metavar="MHZ",
              help="What place and route works for.  [default: the clock; of a --device without one much]")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1, 4),
              help="Place and route so many times, of which the best counts.  [default: 4; for a board 1]")  # fmt: skip
@click.option("--nextpnr", type=Words(), default=(), metavar="OPTIONS",
              help='Further options of nextpnr, as in "--router router2".')  # fmt: skip
@click.option("-o", "--output", "directory", required=True, type=output_folder,
              metavar="DIR", help="Where sources, netlist, logs, bitstream and build.json go.")  # fmt: skip
@click.option("--image", "images", type=existing_file, multiple=True,
              help="A picture for the simulation; may be given several times.  [default: random inputs]")  # fmt: skip
@click.option("--frames", type=click.IntRange(min=1),
              help="Frames that the netlist gets.  [default: what the interval needs; for a board 3]")  # fmt: skip
@click.option("--no-simulation", is_flag=True, help="Do not simulate the netlist.")
@json_option
def build(model, layers, target, engine, device, package, speed, uart, frequency, seeds, nextpnr, directory, images,
          frames, no_simulation, as_json) -> int:  # fmt: skip
    """Implement a model's circuit with Yosys, nextpnr and the packers from PyPI. What was done in the same folder
    before from the same input is not done again.

    With --board it is a bitstream: the circuit behind the board's UART, its clock from a PLL, --clock or the highest
    that is met. One that misses its clock is not written. The plan is the fastest that fits the board, or what
    --multipliers, --fps or --plan ask for. What is on the board, link included, is simulated and asked through its
    UART: a picture over the line where that is short, a lone frame and frames back to back that it makes itself.

    Otherwise it is out of context, for a --device: no pins and no link to a host, so that paths between registers are
    timed and nothing else. The synthesised netlist is simulated.

    The report has the look-up tables, registers, DSP blocks and block RAMs, the greatest clock of each seed, and from
    which stage to which the critical path runs.

    With --engine, --board and no MODEL it is an engine's bitstream: any network that fits it is uploaded later, by
    predict --port. Its netlist is asked with digits where that fits.

    Exit code 1: an output of the netlist is not the golden model's, or its cycles are other than predicted.
    """
    if no_simulation and (images or frames is not None):
        raise UserError("--image and --frames are of the simulation that --no-simulation leaves out")
    if engine is not None:
        return _engine(engine, model, layers, target, device, package, speed, uart, frequency, seeds, nextpnr,
                       directory, [*images, frames], no_simulation, as_json)  # fmt: skip
    if model is None:
        raise UserError("give a MODEL, or --engine and --board for a bitstream that any network is uploaded to")
    require_extra("fpga", "implementation")
    from mbconv.fpga.flow.folder import check_build_folder
    from mbconv.models import load_part

    check_build_folder(directory)
    whole, graph = load_part(model, layers)
    if not no_simulation:
        require_extra("sim", "the netlist's simulation (or give --no-simulation)")
    if target.board is None:
        if uart is not None:
            raise UserError("--uart names pins of a board: give --board as well")
        part = _part(device or DEFAULT_DEVICE, package, speed)
        return _without_pins(whole, graph, target, part, frequency, seeds or 4, nextpnr, directory, images, frames,
                             no_simulation, as_json)  # fmt: skip
    if images:
        raise UserError("--image is for a --device: a board makes its frames itself")
    if frames == 1:
        raise UserError("--frames of a board are at least 2: one frame has no interval")
    if not no_simulation:
        require_extra("board", "asking the netlist through its UART (or give --no-simulation)")
    return _for_board(graph, target, device, package, speed, uart, frequency, seeds or 1, nextpnr, directory, frames,
                      no_simulation, as_json)  # fmt: skip


def _engine(engine, model, layers, target, device, package, speed, uart, frequency, seeds, nextpnr, directory, others,
            no_simulation, as_json) -> int:  # fmt: skip
    from .engine_build import build_engine_bitstream

    if model is not None or layers is not None:
        raise UserError("an engine is built without a MODEL: networks are uploaded to it later (mbconv predict --port)")
    wrong = [name for name in target.names if name not in ("--board", "--clock")]
    wrong += ["--image and --frames"] if any(other is not None for other in others) else []
    if wrong:
        raise UserError(f"{', '.join(wrong)} do not go with --engine")
    if target.board is None:
        raise UserError("--engine is built for a board: give --board NAME (mbconv boards)")
    require_extra("fpga", "implementation")
    from mbconv.fpga.boards.checked import reference_note
    from mbconv.fpga.flow.folder import check_build_folder

    check_build_folder(directory)
    if not no_simulation:
        require_extra("sim", "the netlist's simulation (or give --no-simulation)")
        require_extra("board", "asking the netlist through its UART (or give --no-simulation)")
    board = _board(target, device, package, speed, uart)
    if note := reference_note(board, target.clock):
        progress_console(quiet=as_json).print(f"note: {note}", soft_wrap=True)
    return build_engine_bitstream(
        engine, board, directory, target.clock, frequency, seeds or 1, nextpnr, no_simulation, as_json
    )


def _part(device, package, speed):
    from mbconv.fpga.families import find_part

    return find_part(device, package, speed)


def _board(target, device, package, speed, uart):
    """The board that is asked for, with the UART that is asked for.

    Raises:
        GraphError, UserError: there is none, or the options contradict it.
    """
    from mbconv.fpga.boards import find_board
    from mbconv.fpga.family import Pin

    board = find_board(target.board)
    if device or package or speed:
        asked = _part(device or board.part.device, package, speed or board.part.speed or None)
        if asked != board.part and (asked.device != board.part.device or package or speed):
            raise UserError(f"{board.title} has {board.part}, not {asked}: leave --device, --package and --speed out")
    if uart is None:
        return board
    pins = [name.strip() for name in uart.split(",")]
    if len(pins) != 2 or not all(pins) or pins[0] == pins[1]:
        raise UserError(f"--uart names two pins, of the receiver and of the transmitter, not {uart!r}")
    like = board.rx or board.clock
    return replace(board, rx=Pin(pins[0], like.attributes), tx=Pin(pins[1], like.attributes))


def _planning(target):
    """What the plan is for: the board where nothing else is said. A clock alone is the bitstream's."""
    others = [value for value in (target.multipliers, target.fps, target.plan) if value is not None]
    return replace(
        target, board=None if others else target.board, clock=target.clock if target.fps is not None else None
    )


def _for_board(graph, target, device, package, speed, uart, frequency, seeds, nextpnr, directory, frames, no_simulation,
               as_json) -> int:  # fmt: skip
    from mbconv.fpga.boards.checked import clock_note, read_checked, reference_note
    from mbconv.fpga.flow.bitstream import build_bitstream, check_bitstream
    from mbconv.fpga.flow.fit import check_fit
    from mbconv.generators.emission.board import linked_cost

    board = _board(target, device, package, speed, uart)
    check_bitstream(board, target.clock)
    for note in (reference_note(board, target.clock), clock_note(board, target.clock, read_checked())):
        if note is not None:
            progress_console(quiet=as_json).print(f"note: {note}", soft_wrap=True)
    with step_progress(quiet=as_json) as report:
        report("planning", "folding, schedule")
        design = target_design(graph, _planning(target), board.part.resources)
        check_fit(design, board.part, linked_cost)
        report("planning", "")
        (directory / REPORT).unlink(missing_ok=True)
        built = build_bitstream(
            design,
            board,
            directory,
            clock_mhz=target.clock,
            target_mhz=frequency,
            seeds=seeds,
            options=nextpnr,
            progress=report,
        )
        check = None if no_simulation else _asked(built, graph, frames, report)
    answer = {
        "model": graph.name,
        "interval_cycles": design.schedule.interval,
        "latency_cycles": design.schedule.latency,
        **board_answer(directory, built, check, f"{graph.name} on {board.title}"),
    }
    status = 0 if check is None or check.ok else 1
    write_report(directory, "build", answer)
    if as_json:
        print_json("build", answer)
        return status
    console = results()
    console.print(f"{graph.name} on {board.title}: {built.made.part}")
    print_made(built.made)
    rate = built.clock_mhz * 1e6 / design.schedule.interval
    console.print(
        f"clock {built.clock_mhz:.2f} MHz, UART {built.baud:,.0f} baud; interval {design.schedule.interval:,} cycles: "
        f"{rate:,.1f} frames per second, latency {design.schedule.latency / built.clock_mhz / 1e3:,.2f} ms"
    )
    print_files(directory, built, check)
    return status


def _asked(built, graph, frames, report):
    """The check of a bitstream's netlist behind its UART."""
    from mbconv.board.netlist_check import FRAMES, check_board_netlist
    from mbconv.fpga.flow.board_netlist import NetlistBoard

    step = "netlist"
    report(step, "building the simulator")
    with NetlistBoard(built.board, built.made.netlist, built.top) as simulated:
        found = check_board_netlist(
            simulated.port, graph, built.baud, frames=frames or FRAMES, report=lambda doing: report(step, doing)
        )
    report(step, "")
    return found


def _without_pins(whole, graph, target, part, frequency, seeds, nextpnr, directory, images, frames, no_simulation,
                  as_json) -> int:  # fmt: skip
    from mbconv.fpga.flow.build import implement
    from mbconv.fpga.flow.fit import check_fit
    from mbconv.fpga.flow.misfit import explaining
    from mbconv.fpga.flow.netlist import check_netlist
    from mbconv.generators.emission.bundle import make_bundle

    from .frames import chosen_frames

    with step_progress(quiet=as_json) as report:
        report("planning", "folding, schedule")
        design = target_design(graph, _planning(target), part.resources)
        check_fit(design, part)
        if not no_simulation:
            count = frames or design.schedule.frames
            inputs = chosen_frames(whole, graph, count, images)
        report("planning", "")
        (directory / REPORT).unlink(missing_ok=True)
        bundle = make_bundle(design)
        with explaining(design, part, directory):
            made = implement(
                bundle.made,
                "aclk",
                directory,
                part,
                seeds=seeds,
                target_mhz=frequency or target.clock or part.family.target_mhz,
                options=nextpnr,
                progress=report,
            )
    result = None
    if not no_simulation:
        with simulation_progress(quiet=as_json) as progress:
            result = check_netlist(bundle, graph, made.netlist, part, inputs, progress=progress)
    answer = {
        "model": graph.name,
        "interval_cycles": design.schedule.interval,
        "latency_cycles": design.schedule.latency,
        **made.to_dict(),
        "netlist": None if result is None else result.to_dict(),
        "floorplan": draw_floorplan(directory, made, f"{graph.name} on {part}"),
    }
    write_report(directory, "build", answer)
    if as_json:
        print_json("build", answer)
    else:
        _print(graph, design, directory, made, result, "" if images else ", random")
    return 0 if result is None or result.ok else 1


def _print(graph, design, directory, made, result, inputs: str) -> None:
    console = results()
    console.print(f"{graph.name}: {made.part}, out of context")
    print_made(made)
    console.print(f"floorplan: {directory / FLOORPLAN}")
    rate = made.best.fmax_mhz * 1e6 / design.schedule.interval
    console.print(
        f"interval {design.schedule.interval:,} cycles: {rate:,.1f} frames per second at {made.best.fmax_mhz:.1f} MHz"
    )
    if result is not None:
        console.print("\nthe netlist, simulated:")
        print_result(graph, result, inputs)
