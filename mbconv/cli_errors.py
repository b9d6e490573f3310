"""From an exception to the message that a user can act on."""

from __future__ import annotations

import click

from .requirements import extra_of_module, install_command, missing_packages


class UserError(click.ClickException):
    """What a command refuses; printed in one piece, exit code 2."""

    exit_code = 2

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
    """The message of an error that the user can mend; None for a fault of the program, which keeps its traceback."""
    if isinstance(error, ModuleNotFoundError):
        module = (error.name or "").partition(".")[0]
        extra = extra_of_module(module)
        return None if extra is None else f"the package {module} is missing; install with:\n  {install_command(extra)}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    try:
        from mbconv.generators.graph.graph import GraphError  # here: the doctor works without numpy
    except ModuleNotFoundError:
        return None
    return str(error) if isinstance(error, GraphError) else None
