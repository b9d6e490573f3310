"""Bad input of every kind to every command: one clear message, status 2, no traceback, nothing left behind."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mbconv.cli import main

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")

# What every command that takes a MODEL needs beside it, and how it takes a picture.
WITH_MODEL = {
    "info": (),
    "predict": ("--image", "{picture}"),
    "evaluate": ("--images", "{pictures}"),
    "plan": (),
    "emit": ("-o", "{new}"),
    "sim": (),
    "build": ("-o", "{new}"),
    "verify": ("--results", "{new}"),
    "serve": (),
    "compile": ("--engine", "channels=8,pixels=2", "-o", "{new}"),
}
WITH_TARGET = ("plan", "emit", "sim", "build", "verify", "serve")
WITH_LAYERS = ("info", "plan", "emit", "sim", "build", "serve", "compile")
WITH_BOARD = {
    "load": ("{pictures}",),
    "measure": ("digits", "--port", "{new}"),
    "selftest": ("digits", "--port", "{new}"),
}
WITH_MODELS = ("golden",)  # as many as are given
ALONE = ("bench", "demo", "models", "boards", "cache", "doctor", "schema")

BAD_MODELS = {
    "nothing": ("{new}.tflite", "is no file"),
    "a folder": ("{pictures}", "is a folder|is no folder|manifest.json"),
    "text": ("{text}", "no TFLite|not a TFLite|is no .tflite|identifier|TFL3|flatbuffer|schema"),
    "empty": ("{empty}", "empty|no TFLite|not a TFLite|identifier|TFL3|flatbuffer|schema"),
    "a name misspelt": ("digit", "did you mean digits"),
    "no kind of block": ("block:pointwse,height=2,width=2,channels=2", "did you mean pointwise"),
    "no key of a block": ("block:pointwise,heigth=2,width=2,channels=2", "did you mean height.*width  "),
    "a block too large": ("block:pointwise,height=9999,width=2,channels=2", "height=9999 is not in 1..8192"),
    "nothing of a block": ("block:", "there is no block ''"),
}
BAD_LAYERS = {
    "backwards": ("3:1", "3:1"),
    "beyond": ("90:99", "90:99"),
    "negative": ("-1:3", "is not A:B"),
    "words": ("all", "is not A:B"),
}
BAD_TARGETS = {
    "no multipliers": (("--multipliers", "0"), "0 is not in the range"),
    "too few": (("--multipliers", "1"), "too few"),
    "too many": (("--multipliers", "1000000000000000000000"), "from 1 to 1,000,000"),
    "no number": (("--multipliers", "many"), "'many' is not a valid integer"),
    "a rate without a clock": (("--fps", "10"), "--fps and --clock go together"),
    "a rate of nothing": (("--fps", "1e-12", "--clock", "1"), "frames per second must be from 1e-06"),
    "a clock beyond all": (("--fps", "1", "--clock", "1e30"), "megahertz of the clock must be from 0.001"),
    "not a number": (("--fps", "nan", "--clock", "1"), "must be a number, not nan"),
    "infinite": (("--fps", "1", "--clock", "inf"), "must be a number, not inf"),
    "too fast": (("--fps", "1e9", "--clock", "1"), "cannot be met.*nearest"),
    "no board": (("--board", "icebraker"), "did you mean icebreaker"),
    "two targets": (("--board", "icebreaker", "--multipliers", "8"), "are different targets"),
    "no plan": (("--plan", "{new}"), "does not exist"),
    "a plan of text": (("--plan", "{text}"), "is not JSON"),
    "a plan and a target": (("--plan", "{text}", "--multipliers", "8"), "exclude each other"),
}
BAD_OTHERS = {
    "predict nothing": (("predict", "digits"), "give one of --image"),
    "predict both": (("predict", "digits", "--image", "{picture}", "--input", "{text}"), "give one of --image"),
    "predict text as a picture": (("predict", "digits", "--image", "{text}"), "no picture that Pillow"),
    "predict a picture as integers": (("predict", "digits", "--input", "{picture}"), "goes with --image"),
    "predict text as integers": (("predict", "digits", "--input", "{text}"), "no .npy file"),
    "predict other integers": (("predict", "digits", "--input", "{values}"), "shape"),
    "predict infinite": (("predict", "digits", "--image", "{picture}", "--mean", "inf"), "inf is not finite"),
    "predict by nothing": (("predict", "digits", "--image", "{picture}", "--std", "0"), "std 0 is not greater than 0"),
    "predict resized to words": (("predict", "digits", "--image", "{picture}", "--resize", "big"), "resize 'big'"),
    "predict few labels": (("predict", "digits", "--image", "{picture}", "--labels", "{text}"), "1 labels were given"),
    "predict labels of a map": (
        ("predict", "block:pointwise,height=2,width=2,channels=1", "--image", "{picture}", "--labels", "{text}"),
        "no output of .* has any|labels name classes",
    ),
    "predict all of nothing": (("predict", "digits", "--image", "{picture}", "--all"), "--save FILE.npz"),
    "predict into nowhere": (("predict", "digits", "--image", "{picture}", "--save", "{new}/x/y"), "No such file"),
    "evaluate nothing": (("evaluate", "digits"), "give pictures with their classes"),
    "evaluate an empty folder": (("evaluate", "digits", "--images", "{pictures}"), "holds no pictures"),
    "plan into nowhere": (("plan", "digits", "-o", "{new}/x/plan.json"), "No such file"),
    "plan into a folder": (("plan", "digits", "-o", "{pictures}"), "is a directory"),
    "emit nowhere": (("emit", "digits"), "Missing option '-o'"),
    "emit into a file": (("emit", "digits", "-o", "{text}"), "is a file|Not a directory"),
    "emit below a file": (("emit", "digits", "-o", "{text}/x"), "Not a directory"),
    "a clock alone that is none": (("plan", "digits", "--clock", "nan"), "the clock must be a number, not nan"),
    "a bitstream's clock that is none": (
        ("build", "digits", "--board", "icebreaker", "--clock", "nan", "-o", "{new}"),
        "the clock must be a number, not nan",
    ),
    "emit to an empty name": (("emit", "digits", "-o", ""), "its name is empty"),
    "plan to an empty name": (("plan", "digits", "-o", ""), "its name is empty"),
    "info a number without end": (("info", "digits", "--layers", "0:" + "9" * 5000), "is not A:B"),
    "emit a clock alone": (("emit", "digits", "-o", "{new}", "--clock", "5"), "--clock says at which clock"),
    "emit frames of nothing": (("emit", "digits", "-o", "{new}", "--frames", "3"), "give --testbench"),
    "sim both": (("sim", "digits", "--image", "{picture}", "--random"), "not both"),
    "sim text as a picture": (("sim", "digits", "--image", "{text}"), "no picture that Pillow"),
    "sim no frames": (("sim", "digits", "--frames", "0"), "0 is not in the range"),
    "sim frames without end": (
        ("sim", "digits", "--frames", "9" * 20),
        "too many to hold .* at most 4,194,304",
    ),
    "emit frames without end": (
        ("emit", "digits", "-o", "{new}", "--testbench", "--frames", "9" * 20),
        "too many to hold in memory",
    ),
    "sim waves below a file": (("sim", "digits", "--waves", "{text}/waves.vcd"), "Not a directory"),
    "build nowhere": (("build", "digits"), "Missing option '-o'"),
    "build below a file": (("build", "digits", "-o", "{text}/x"), "Not a directory"),
    "build not a number": (("build", "digits", "-o", "{new}", "--frequency", "nan"), "nan is not from 1 to 2,000"),
    "build no words": (
        ("build", "digits", "-o", "{new}", "--nextpnr", "'--router router2"),
        "is not words as a shell splits them: no closing quotation",
    ),
    "build no device": (("build", "digits", "-o", "{new}", "--device", "XC7A35T"), "XC7A35T"),
    "build many seeds": (("build", "digits", "-o", "{new}", "--seeds", "99"), "99 is not in the range"),
    "build pictures of nothing": (
        ("build", "digits", "-o", "{new}", "--no-simulation", "--image", "{picture}"),
        "that --no-simulation leaves out",
    ),
    "verify both": (("verify", "digits", "--image", "{picture}", "--random"), "not both"),
    "verify below a file": (("verify", "digits", "--results", "{text}/x"), "cannot be written"),
    "bench nothing": (("bench", "--only", "nothing", "--results", "{new}"), "no network's name contains nothing"),
    "bench models that are not there": (("bench", "--models", "{pictures}", "--results", "{new}"), "missing: .*tflite"),
    "bench below a file": (("bench", "--only", "digits", "--results", "{text}/x"), "cannot be written"),
    "demo below a file": (("demo", "-o", "{text}/x"), "Not a directory"),
    "load nothing": (("load", "{pictures}", "--print"), "pictures"),
    "measure a port that is not there": (("measure", "digits", "--port", "{new}"), "new"),
    "selftest a port that is not there": (("selftest", "digits", "--port", "{new}"), "new"),
    "predict on a port that is not there": (("predict", "digits", "--image", "{picture}", "--port", "{new}"), "new"),
    "schema of nothing": (("schema", "nothing"), "'nothing' is not one of"),
    "no command": (("simulate", "digits"), "No such command 'simulate'"),
}


@pytest.fixture
def places(tmp_path, monkeypatch) -> dict[str, Path]:
    """Files and folders of every kind, and a name of nothing; what a command writes unasked is written here, too."""
    monkeypatch.chdir(tmp_path)
    found = {name: tmp_path / name for name in ("text", "empty", "pictures", "new")}
    found |= {"picture": tmp_path / "picture.png", "values": tmp_path / "values.npy"}
    found["text"].write_text("hello\n")
    found["empty"].write_text("")
    found["pictures"].mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(found["picture"])
    np.save(found["values"], np.zeros((1, 3, 3, 1), np.int8))
    return found


def refused(arguments: tuple[str, ...], message: str, places: dict[str, Path]) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path.cwd().rglob("*")}
    given = [argument.format(**places) for argument in arguments]
    result = CliRunner().invoke(main, given)
    assert result.exit_code == 2, f"{given}: {result.output}"
    assert result.stdout == ""
    assert re.search(message, result.stderr, re.DOTALL), f"{given}: {result.stderr}"
    assert "Traceback" not in result.stderr and "Error(" not in result.stderr
    assert len(re.findall(r"^(mbconv|Error): ", result.stderr, re.MULTILINE)) == 1, result.stderr
    assert {path: path.stat().st_mtime_ns for path in Path.cwd().rglob("*")} == before


@pytest.mark.parametrize("kind", BAD_MODELS)
@pytest.mark.parametrize("command", WITH_MODEL)
def test_models(command, kind, places):
    model, message = BAD_MODELS[kind]
    refused((command, model, *WITH_MODEL[command]), message, places)


@pytest.mark.parametrize("kind", BAD_LAYERS)
@pytest.mark.parametrize("command", WITH_LAYERS)
def test_layers(command, kind, places):
    layers, message = BAD_LAYERS[kind]
    refused((command, "digits", *WITH_MODEL[command], f"--layers={layers}"), message, places)


@pytest.mark.parametrize("kind", BAD_TARGETS)
@pytest.mark.parametrize("command", WITH_TARGET)
def test_targets(command, kind, places):
    options, message = BAD_TARGETS[kind]
    if (command, kind) == ("build", "two targets"):  # there the multipliers are part of the board's that may be used
        return
    refused((command, "digits", *WITH_MODEL[command], *options), message, places)


@pytest.mark.parametrize("kind", BAD_OTHERS)
def test_others(kind, places):
    arguments, message = BAD_OTHERS[kind]
    refused(arguments, message, places)


@pytest.mark.parametrize("command", [*WITH_MODEL, *WITH_BOARD, *ALONE])
def test_options_that_are_none(command, places):
    model = ("digits",) if command in WITH_MODEL else ("plan",) if command == "schema" else ()
    needed = WITH_MODEL.get(command, WITH_BOARD.get(command, ()))
    refused((command, *model, *needed, "--nothing"), "No such option.*--nothing", places)
    refused((command, *model, *needed, "one", "more"), "unexpected extra argument", places)


@pytest.mark.parametrize("command", WITH_MODELS)
def test_one_bad_model_of_several(command, places):
    refused((command, "digits", "--nothing"), "No such option.*--nothing", places)
    refused((command, "digits", "one"), "'one' is no file", places)


def test_every_command_is_here():
    assert set(main.commands) == {*WITH_MODEL, *WITH_BOARD, *WITH_MODELS, *ALONE}
