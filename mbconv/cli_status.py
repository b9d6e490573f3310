"""How a program of this package ends: what its work returns, raises or meets from outside, as an exit status.

``mbconv`` and each ``python -m mbconv.…`` end through :func:`end_with`: one message for what a user can mend (2), a
file for a report of a fault (70), 130 after Ctrl-C; a reader that went away (``| head``) and SIGTERM end them as they
end other programs.
"""

from __future__ import annotations

import signal
import sys
import warnings
from collections.abc import Callable
from typing import NoReturn

import click

from .cli_errors import FAULT, INTERRUPTED, REFUSED, report_fault, user_message
from .cli_signals import Ended, closed_output_ends, end_by_signal, raise_on_signals


def end_with(work: Callable[[], int | None]) -> NoReturn:
    """Do the work of a whole program and exit with its status; ``work`` returns one, or None for 0."""
    # A plan is costed by making its circuits; Amaranth takes those that are not turned into Verilog for mistakes.
    warnings.filterwarnings("ignore", message=".*created but never used", category=Warning)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without × shows ?, not a traceback
    try:
        with raise_on_signals():
            status = _status(work)
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        end_by_signal(signal.SIGPIPE)
    except OSError as error:
        status = _status_of(error)
    except Ended as end:
        end_by_signal(end.number)
    sys.exit(status)


def run_module(main: Callable[[], int | None]) -> NoReturn:
    """A module's ``main`` as the program ``python -m``."""

    def work() -> int | str | None:
        with closed_output_ends():
            try:
                return main()
            except SystemExit as end:  # argparse's: its own message is out
                return end.code

    end_with(work)


def _status(work: Callable[[], int | None]) -> int:
    """What a program returns, or the status of its error after a message."""
    try:
        return work() or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("mbconv: interrupted", err=True)
        return INTERRUPTED
    except Exception as error:
        return _status_of(error)


def _status_of(error: Exception) -> int:
    message = user_message(error)
    if message is not None:
        click.echo(f"mbconv: {message}", err=True)
        return REFUSED
    report_fault(error)
    return FAULT
