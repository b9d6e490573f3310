"""The command line: every command is a small module beside this one and calls the library.

Exit codes: 0 done; 1 the command ran and its answer is no (a mismatch, something missing); 2 it could not do what was
asked, with one message on the standard error; 130 interrupted.
"""

from __future__ import annotations

import sys
import warnings
from typing import NoReturn

import click

from . import __version__
from .cli_errors import user_message
from .command_bench import bench
from .command_boards import boards
from .command_build import build
from .command_demo import demo
from .command_doctor import doctor
from .command_emit import emit
from .command_evaluate import evaluate
from .command_info import info
from .command_models import models
from .command_plan import plan
from .command_predict import predict
from .command_sim import sim
from .command_verify import verify


class CommandLine(click.Group):
    """A group whose commands may return their exit code and raise the library's errors."""

    def main(self, *args, **extra) -> NoReturn:
        extra["standalone_mode"] = False
        # A plan is costed by making its circuits; Amaranth takes those that are not turned into Verilog for mistakes.
        warnings.filterwarnings("ignore", message=".*created but never used", category=Warning)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal without × shows ?, not a traceback
        try:
            status = super().main(*args, **extra)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            click.echo("mbconv: interrupted", err=True)
            sys.exit(130)
        except Exception as error:
            message = user_message(error)
            if message is None:
                raise
            click.echo(f"mbconv: {message}", err=True)
            sys.exit(2)
        sys.exit(status or 0)


@click.group(cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="mbconv")
def main() -> None:
    """Quantised MobileNets as streaming circuits: from a .tflite file to verified Verilog.

    MODEL is a .tflite file, the name of a built-in model (see mbconv models), or a single block such as
    block:inverted_residual,height=56,width=56,channels=24,expansion=6,stride=1
    """


for command in (info, predict, evaluate, plan, emit, sim, build, verify, bench, demo, models, boards, doctor):
    main.add_command(command)
