"""The command line: every command is a small module beside this one and calls the library.

Exit codes: 0 done; 1 the command ran and its answer is no (a mismatch, something missing); 2 it could not do what was
asked, with one message on the standard error; 70 a fault of mbconv, with the file that a report of it needs; 130
interrupted. A reader that went away (``| head``) and SIGTERM end it as they end other programs.
"""

from __future__ import annotations

import signal
import sys
import time
import warnings
from typing import NoReturn

import click

from . import __version__
from .cli_errors import FAULT, INTERRUPTED, REFUSED, report_fault, user_message
from .cli_signals import Ended, closed_output_ends, end_by_signal, raise_on_signals
from .command_bench import bench
from .command_boards import boards
from .command_build import build
from .command_cache import cache
from .command_compile import compile_command
from .command_demo import demo
from .command_doctor import doctor
from .command_emit import emit
from .command_evaluate import evaluate
from .command_golden import golden
from .command_info import info
from .command_load import load
from .command_measure import measure
from .command_models import models
from .command_plan import plan
from .command_predict import predict
from .command_schema import schema_command
from .command_selftest import selftest
from .command_serve import serve
from .command_sim import sim
from .command_verify import verify

_WORTH_TELLING = 2.0  # seconds


class CommandLine(click.Group):
    """A group whose commands may return their exit code and raise the library's errors."""

    def main(self, *args, **extra) -> NoReturn:
        extra["standalone_mode"] = False
        started = time.monotonic()
        # A plan is costed by making its circuits; Amaranth takes those that are not turned into Verilog for mistakes.
        warnings.filterwarnings("ignore", message=".*created but never used", category=Warning)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal without × shows ?, not a traceback
        try:
            with raise_on_signals():
                status = _status(lambda: super(CommandLine, self).main(*args, **extra))
                seconds = time.monotonic() - started
                if status in (0, 1) and seconds > _WORTH_TELLING:
                    click.echo(f"{seconds:.1f} s in all", err=True)
                if sys.stdout is not None:
                    sys.stdout.flush()
        except BrokenPipeError:
            end_by_signal(signal.SIGPIPE)
        except OSError as error:
            status = _status_of(error)
        except Ended as end:
            end_by_signal(end.number)
        sys.exit(status)

    def make_context(self, *args, **extra) -> click.Context:
        with closed_output_ends():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context):
        with closed_output_ends():
            return super().invoke(ctx)


def _status(work) -> int:
    """What a command returns, or the status of its error after a message."""
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


@click.group(cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="mbconv")
def main() -> None:
    """Quantised MobileNets as streaming circuits: from a .tflite file to verified Verilog.

    MODEL is a .tflite file, the name of a built-in model (see mbconv models), or a single block such as
    block:inverted_residual,height=56,width=56,channels=24,expansion=6,stride=1
    """


MODELS = (info, predict, evaluate, plan, compile_command, emit, sim, build, verify, bench)
BOARDS = (boards, load, measure, selftest, serve)
for command in (*MODELS, *BOARDS, demo, golden, models, cache, doctor, schema_command):
    main.add_command(command)
