"""Tables at the widths of terminals: every number whole, the first columns in every row."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from mbconv.cli import main
from mbconv.cli_table import Rows

COMMANDS = {
    "info": ("info", "cifar10"),
    "plan": ("plan", "cifar10", "--multipliers", "64"),
    "predict": ("predict", "block:pointwise,height=1,width=1,channels=12", "--input"),
    "models": ("models",),
    "doctor": ("doctor",),
    "boards": ("boards",),
}


def printed(table: Rows, width: int) -> list[str]:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(table)
    return capture.get().splitlines()


def example() -> Rows:
    table = Rows("#", "operator", "input", "MACs", "parameters", left=("operator",), keys=2)
    table.add_row("0", "CONV_2D", "224×224×3", "10,838,016", "896")
    table.add_section()
    table.add_row("", "total", "", "10,838,016", "896")
    return table


def test_wide_enough_for_one_line():
    lines = printed(example(), 80)
    assert lines[1].split() == ["#", "operator", "input", "MACs", "parameters"]
    assert lines[3].split() == ["0", "CONV_2D", "224×224×3", "10,838,016", "896"]
    assert lines[3].rstrip().endswith("896") and lines[1].rstrip().endswith("parameters")


def test_rows_of_two_lines():
    lines = [line.split() for line in printed(example(), 50)]
    assert lines[1:3] == [["input"], ["#", "operator", "MACs", "parameters"]]
    assert lines[4:6] == [["0", "CONV_2D", "224×224×3", "896"], ["10,838,016"]]


def test_text_is_broken_and_numbers_are_not():
    table = Rows("kind", "count", left=("kind",))
    table.add_row("one two three four", "1,234,567")
    lines = printed(table, 20)
    assert "1,234,567" in lines[3] and len(lines) > 5
    assert " ".join(lines).replace("1,234,567", "").split()[-4:] == ["one", "two", "three", "four"]


def test_cells_for_every_column():
    with pytest.raises(ValueError, match="1 cells for 5 columns"):
        example().add_row("0")


@pytest.mark.parametrize("width", [60, 80, 120, None])
@pytest.mark.parametrize("name", COMMANDS)
def test_every_number_is_whole(name, width, tmp_path):
    """What is wide and what is narrow say the same, cell by cell; no line is longer than the terminal."""
    command = list(COMMANDS[name])
    if command[-1] == "--input":
        np.save(tmp_path / "input.npy", np.zeros((1, 1, 1, 12), np.int8))
        command.append(str(tmp_path / "input.npy"))

    def words(width: int | None) -> list[str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("COLUMNS", raising=False)
            if width is not None:
                patch.setenv("COLUMNS", str(width))
            done = CliRunner().invoke(main, command)
        assert done.exit_code == 0, done.stderr
        lines = [line for line in done.stdout.splitlines() if "pip install" not in line]  # a command is copied whole
        assert width is None or max(map(len, lines)) <= width
        return done.stdout.split()

    found, whole = words(width), words(1000)
    numbers = [word for word in whole if word[0].isdigit()]
    assert "…" not in "".join(found) and numbers
    if name != "doctor":  # whose versions are text, which may be broken
        assert sorted(word for word in found if word[0].isdigit()) == sorted(numbers)


def test_json_is_of_no_width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    assert json.loads(CliRunner().invoke(main, ["info", "digits", "--json"]).stdout)["totals"]["macs"] == 67_296
