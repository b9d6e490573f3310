"""What no circuit computes is one list, complete, before anything is planned: in info, plan, emit and sim alike."""

import numpy as np
import pytest
from click.testing import CliRunner

from mbconv.cli import main
from mbconv.training.tflite_writer import TfliteWriter


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Two convolutions whose sums turn over, and between them one that is right."""
    w = TfliteWriter("net")
    x = w.input("x", (1, 6, 6, 2), 1 / 128, 0)
    kernel = np.full((2, 1, 1, 2), 127)
    for bias in (2**31 - 2000, 5, -(2**31) + 5):
        x = w.convolution(x, kernel, np.array([0.004, 1e-9]), np.array([100, bias]), 6 / 255, 3, activation="NONE")
    path = tmp_path_factory.mktemp("models") / "net.tflite"
    w.output(x)
    w.write(path)
    return str(path)


COMMANDS = {
    "info": ("info",),
    "plan": ("plan",),
    "plan for a board": ("plan", "--board", "ulx3s-85f"),
    "emit": ("emit", "-o", "nowhere"),
    "sim": ("sim",),
    "build": ("build", "-o", "nowhere"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_lists_everything(model, command):
    name, *options = command
    result = CliRunner().invoke(main, [name, model, *options])
    text = " ".join((result.output + result.stderr).split())
    assert result.exit_code == (0 if name == "info" else 2), text
    assert "operators 0, 2 CONV_2D: each alike, the first cannot be computed exactly: channel 1: sums up to" in text
    assert "Operator 1 can be used alone: --layers 1:2" in text
    assert "operator 1" not in text
