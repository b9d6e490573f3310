"""Ranges are judged alone, refusals are one list everywhere, and name the range that can be used."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from mbconv.cli import main
from mbconv.generators.readers.model_source import fingerprint
from mbconv.models import load
from mbconv.training.tflite_writer import TfliteWriter


def network(folder, *, between) -> str:
    """Two convolutions, an operator, one convolution more."""
    rng = np.random.default_rng(5)
    w = TfliteWriter("net")
    x = w.input("x", (1, 6, 6, 2), 1 / 64, 3)
    for _ in range(2):
        x = w.convolution(x, rng.integers(-9, 9, (2, 3, 3, 2)), 0.01, rng.integers(-9, 9, 2), 0.05, 1)
    x = between(w, x)
    w.output(w.convolution(x, rng.integers(-9, 9, (2, 1, 1, 2)), 0.01, rng.integers(-9, 9, 2), 0.05, 1))
    path = folder / "net.tflite"
    w.write(path)
    return str(path)


def run(*arguments) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    return result.exit_code, result.output


def unread(w, x):
    return w.operator("ELU", (x,), w.tensors[x].shape, None, None)


def without_circuit(w, x):
    return w.resize(x, 5, 4, bilinear=True)


COMMANDS = [("info",), ("plan",), ("emit", "-o", "rtl"), ("sim",), ("build", "-o", "out"), ("verify",)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_what_cannot_be_read_is_refused_alike_everywhere(tmp_path, command):
    path = network(tmp_path, between=unread)
    name, *options = command
    options = [tmp_path / o if o in ("rtl", "out") else o for o in options]
    status, output = run(name, path, *options)
    assert status == 2
    assert "operator 2 ELU is not supported; train with ReLU6 instead" in output
    assert "Operators 0 to 1 can be used alone: --layers 0:2" in output
    assert not (tmp_path / "rtl").exists() and not (tmp_path / "out").exists()


def test_what_has_no_circuit_is_said_by_info_and_refused_by_the_others(tmp_path):
    path = network(tmp_path, between=without_circuit)
    refusal = "operator 2 RESIZE_BILINEAR makes 5×4 of 6×6; enlarging, and making smaller by whole factors"
    lines = [f"{refusal} in both directions, have a circuit", "Operators 0 to 1 can be used alone: --layers 0:2"]
    status, output = run("info", path)
    assert status == 0 and all(line in output for line in lines)
    status, output = run("info", path, "--json")
    assert status == 0 and json.loads(output)["without_circuit"] == lines
    for name, *options in COMMANDS[1:4]:
        status, output = run(name, path, *[tmp_path / o if o == "rtl" else o for o in options])
        assert status == 2 and all(line in output for line in lines), name
    np.save(tmp_path / "in.npy", np.zeros((1, 6, 6, 2), np.int8))
    assert run("predict", path, "--input", tmp_path / "in.npy")[0] == 0


@pytest.mark.parametrize("between", [unread, without_circuit])
def test_a_range_is_judged_alone(tmp_path, between):
    path = network(tmp_path, between=between)
    assert run("plan", path, "--layers", "0:2")[0] == 0
    status, output = run("emit", path, "--layers", "3:4", "-o", tmp_path / "rtl")
    assert status == 0, output
    status, output = run("plan", path, "--layers", "1:3")
    assert status == 2 and "operator 2" in output


@pytest.mark.parametrize("layers", [(2, 7), (0, 1), (3, 8)])
@pytest.mark.parametrize("model", ["digits", "block:inverted_residual,height=4,width=4,channels=4"])
def test_a_range_read_alone_is_the_range_of_the_whole(model, layers):
    if "block" in model:
        layers = (layers[0] % 3, layers[0] % 3 + 1)
    part, whole = load(model, layers), load(model).layers(*layers)
    assert (part.name, part.inputs, part.outputs, part.cuts) == (whole.name, whole.inputs, whole.outputs, whole.cuts)
    assert fingerprint(part) == fingerprint(whole)


def test_ranges_outside_the_file(tmp_path):
    path = network(tmp_path, between=unread)
    for layers in ("0:9", "4:5", "2:2"):
        status, output = run("plan", path, "--layers", layers)
        assert status == 2 and "are not a range of this network; it has operators 0:4" in output
