"""The command line: every command is a small module beside this one and calls the library.

Exit codes: 0 done; 1 the command ran and its answer is no (a mismatch, something missing); 2 it could not do what was
asked, with one message on the standard error; 70 a fault of mbconv, with the file that a report of it needs; 130
interrupted. A reader that went away (``| head``) and SIGTERM end it as they end other programs.
"""

from __future__ import annotations

import time
from typing import NoReturn

import click

from . import __version__
from .cli_signals import closed_output_ends
from .cli_status import end_with
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

        def work() -> int:
            status = super(CommandLine, self).main(*args, **extra) or 0
            seconds = time.monotonic() - started
            if status in (0, 1) and seconds > _WORTH_TELLING:
                click.echo(f"{seconds:.1f} s in all", err=True)
            return status

        end_with(work)

    def make_context(self, *args, **extra) -> click.Context:
        with closed_output_ends():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context):
        with closed_output_ends():
            return super().invoke(ctx)


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
