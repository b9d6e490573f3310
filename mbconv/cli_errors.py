"""From an exception to the message that a user can act on."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import tempfile
import traceback
from importlib import metadata

import click

from mbconv.hdl.tool_cache import CacheError

from .requirements import extra_of_module, install_command, installed_version, missing_packages, requirements

REFUSED, FAULT, INTERRUPTED = 2, 70, 130
"""Exit statuses beside 0 and 1: what was asked cannot be done; a fault of mbconv's own; Ctrl-C."""


class UserError(click.ClickException):
    """What a command refuses; printed in one piece."""

    exit_code = REFUSED

    def show(self, file=None) -> None:
        click.echo(f"mbconv: {self.format_message()}", err=True)


def require_extra(extra: str, purpose: str) -> None:
    """Refuse to go on without an optional part, before any work is done.

    Raises:
        UserError: a package of the part is missing; the message holds the command that installs it.
    """
    missing = missing_packages(extra)
    if missing:
        raise UserError(f"{purpose} needs {' and '.join(missing)}; install with:\n  {install_command(extra)}")


def user_message(error: Exception) -> str | None:
    """The message of an error that the user can mend; None for a fault of the program."""
    if isinstance(error, ModuleNotFoundError):
        module = (error.name or "").partition(".")[0]
        extra = extra_of_module(module)
        return None if extra is None else f"the package {module} is missing; install with:\n  {install_command(extra)}"
    if isinstance(error, MemoryError):
        return "there is not enough memory on this machine for what was asked"
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        if isinstance(error, FileNotFoundError) and error.filename is None and _folder() is None:
            return "the folder in which mbconv was started is not there any more"
        # files that a user names are named by their errors
        where = error.filename or f"the standard output, or a temporary file in {tempfile.gettempdir()}"
        return what if isinstance(error, CacheError) else f"{where}: {what}"
    try:
        from mbconv.generators.graph.graph import GraphError  # here: the doctor works without numpy
    except ModuleNotFoundError:
        return None
    from mbconv.hdl.processes import HelperKilled

    return str(error) if isinstance(error, GraphError | HelperKilled) else None


def report_fault(error: Exception) -> None:
    """Write what a report of a fault needs to a file, and one message that says where it is and where to send it."""
    what = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    text = _report()
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="mbconv-fault-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write(text)
    except OSError as reason:
        click.echo(f"{text}\nthe above could not be written to a file: {reason.strerror}", err=True)
        place = "the text above"
    else:
        place = file.name
    click.echo(
        f"mbconv: a fault of mbconv, not of what you asked for: {what}\n  please report it with {place}: {_where()}",
        err=True,
    )


def _report() -> str:
    """The command, the versions, the traceback."""
    packages = dict.fromkeys(one.name for part in requirements().values() for one in part)
    versions = [f"{package} {version}" for package in packages if (version := installed_version(package))]
    return (
        f"{_program()} {shlex.join(sys.argv[1:])}\n"
        f"mbconv {installed_version('mbconv')}, Python {platform.python_version()}, {platform.platform()}\n"
        f"{', '.join(versions)}\nin {_folder() or 'a folder that is no more'}\n\n{traceback.format_exc()}"
    )


def _program() -> str:
    """``mbconv``, or the module that runs in its place."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    name = "mbconv" if spec is None else spec.name.removesuffix(".__main__")
    return f"python -m {name}" if name.startswith("mbconv.") else "mbconv"


def _folder() -> str | None:
    """The current folder; None where it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return None


def _where() -> str:
    """Where faults are reported: the package's own statement, where it has one."""
    urls = dict(line.split(", ", 1) for line in metadata.metadata("mbconv").get_all("Project-URL") or ())
    return urls.get("Issues", "to those who gave you this copy of mbconv")
