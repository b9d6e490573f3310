"""Arguments and options that several commands share."""

from __future__ import annotations

import re
import shlex
from math import isfinite
from pathlib import Path

import click
from click.shell_completion import CompletionItem

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the standard output.")


def _complete_model(ctx, param, incomplete: str) -> list[CompletionItem]:
    """Built-in models and the beginning of a block, for the shell; and files, which it knows itself."""
    from mbconv.models import builtin_models

    names = [*(model.name for model in builtin_models()), "block:"]
    found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="file")]


model_argument = click.argument("model", metavar="MODEL", shell_complete=_complete_model)
optional_model_argument = click.argument("model", metavar="[MODEL]", required=False, shell_complete=_complete_model)


class LayerRange(click.ParamType):
    """``A:B``: operator indices of the file, half open."""

    name = "A:B"

    def convert(self, value, param, ctx) -> tuple[int, int]:
        match = re.fullmatch(r"(\d{1,18}):(\d{1,18})", value)
        if match is None:
            self.fail(f"{value!r} is not A:B, two operator indices such as 2:5 (the 5th is not included)", param, ctx)
        return int(match[1]), int(match[2])


class CycleRange(click.ParamType):
    """``A:B``: cycles since reset, half open."""

    name = "A:B"

    def convert(self, value, param, ctx) -> tuple[int, int]:
        match = re.fullmatch(r"(\d{1,18}):(\d{1,18})", value)
        if match is None or int(match[1]) >= int(match[2]):
            self.fail(f"{value!r} is not A:B, two cycles such as 100:250 (the 250th is not included)", param, ctx)
        return int(match[1]), int(match[2])


class Number(click.ParamType):
    """A number of a range, both ends included; neither nan nor infinite."""

    name = "NUMBER"

    def __init__(self, least: float, most: float):
        self.least, self.most = least, most

    def convert(self, value, param, ctx) -> float:
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number", param, ctx)
        if not self.least <= number <= self.most:
            self.fail(f"{value} is not from {self.least:,g} to {self.most:,g}", param, ctx)
        return number


class Words(click.ParamType):
    """Several words in one, as a shell would split them."""

    name = "WORDS"

    def convert(self, value, param, ctx) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(shlex.split(value))
        except ValueError as error:
            self.fail(f"{value!r} is not words as a shell splits them: {str(error).lower()}", param, ctx)


class Numbers(click.ParamType):
    """``127.5`` or ``123.7,116.3,103.5``."""

    name = "NUMBER[,NUMBER…]"

    def convert(self, value, param, ctx) -> list[float]:
        try:
            found = [float(part) for part in value.split(",")]
        except ValueError:
            self.fail(f"{value!r} is neither a number nor numbers with commas between", param, ctx)
        if not all(map(isfinite, found)):
            self.fail(f"{value} is not finite: pixels are 0 to 255", param, ctx)
        return found


layers_option = click.option(
    "--layers", type=LayerRange(), help="Only the operators A up to, not including, B (indices as in mbconv info)."
)

multipliers_option = click.option(
    "--multipliers",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="How many multipliers the design may use.",
)


class OutputPath(click.Path):
    """What is to be written; an empty name, as of a shell's variable that is not set, is none."""

    def convert(self, value, param, ctx) -> Path:
        if not str(value):
            self.fail("its name is empty", param, ctx)
        return super().convert(value, param, ctx)


output_file = OutputPath(dir_okay=False, path_type=Path)
output_folder = OutputPath(file_okay=False, path_type=Path)
existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)
