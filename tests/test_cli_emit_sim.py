"""``mbconv emit`` with its test bench, and ``mbconv sim`` of what was emitted."""

import json
import os
import shutil
import subprocess
import sys
from math import prod
from pathlib import Path

import pytest
from click.testing import CliRunner

from mbconv.cli import main
from mbconv.emitted import read_emitted
from mbconv.generators.emission.manifest import seal
from mbconv.models import builtin

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")
LAYERS = ("--layers", "1:3", "--multipliers", "4")
"""A pointwise and a depthwise stage of digits."""


def run(*arguments: object, status: int = 0) -> str:
    """The standard output of mbconv, or its one message where it ends with 2."""
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == status, result.output
    if status == 2:
        assert result.stdout == "" and "Traceback" not in result.stderr
        return result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A model's file that may be removed."""
    return Path(shutil.copy(builtin("digits").path, tmp_path_factory.mktemp("model") / "mine.tflite"))


@pytest.fixture(scope="module")
def emitted(model, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("emitted")
    run("emit", model, "-o", folder, *LAYERS)
    return folder


@pytest.fixture
def copied(emitted, tmp_path) -> Path:
    """An emitted folder that may be changed."""
    return Path(shutil.copytree(emitted, tmp_path / "copied"))


def edit(path: Path, change) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_emit_prints_its_manifest(tmp_path):
    block = "block:pointwise,height=2,width=2,channels=4"
    found = json.loads(run("emit", block, "-o", tmp_path / "new" / "folder", "--name", "my_", "--json"))
    assert found == json.loads((tmp_path / "new" / "folder" / "my_manifest.json").read_text())
    assert found["top"].startswith("my_") and found["source"]["model"] == block
    listed = run("emit", block, "-o", tmp_path / "new" / "folder")
    assert f"{tmp_path / 'new' / 'folder' / 'manifest.json'}  " in listed
    assert "my_mbconv_primitives.v" not in listed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--name", "8th"), "--name '8th' cannot begin a Verilog name"),
        (("--frames", "3"), "give --testbench as well"),
        (("--seed", "3"), "give --testbench as well"),
        (("--testbench", "--seed", "3", "--image", __file__), "give one of them"),
        (("--testbench", "--image", __file__), "test_cli_emit_sim.py"),
        (("--multipliers", "7"), "7 multipliers are too few"),
        (("--layers", "90:91"), "layers 90:91 are not a range of this network"),
    ],
)
def test_emit_refuses(arguments, message, tmp_path):
    assert message in run("emit", "digits", "-o", tmp_path / "folder", *arguments, status=2)
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize("name", ["none/waves.vcd", "none/waves.fst", "waves.gtkw"])
def test_waves_that_cannot_be_written(name, tmp_path, monkeypatch):
    monkeypatch.setattr("mbconv.sim.simulation.fst.available", lambda: True)
    assert name in run("sim", "digits", "--waves", tmp_path / name, status=2)
    assert not list(tmp_path.iterdir())


def test_fst_without_its_writer(tmp_path, monkeypatch):
    monkeypatch.setattr("mbconv.sim.simulation.fst.available", lambda: False)
    assert "pip install pylibfst" in run("sim", "digits", "--waves", tmp_path / "waves.fst", status=2)
    assert not list(tmp_path.iterdir())


def test_a_refused_simulation_leaves_no_waves(tmp_path):
    assert "too few" in run("sim", "digits", "--multipliers", "1", "--waves", tmp_path / "waves.vcd", status=2)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("more", [("--random",), ("--seed", "3")])
def test_pictures_or_random_inputs(more):
    assert "not both" in run("sim", "digits", "--image", __file__, *more, status=2)


def test_random_inputs_by_default():
    assert "random (seed 0)" in run("sim", "block:pointwise,height=2,width=2,channels=2")


def test_emit_where_a_file_is_in_the_way(tmp_path):
    (tmp_path / "file").write_text("mine")
    assert f"{tmp_path / 'file'}" in run("emit", "digits", "-o", tmp_path / "file" / "folder", *LAYERS, status=2)
    assert (tmp_path / "file").read_text() == "mine"


def test_sim_of_a_folder(emitted, copied):
    """Nothing differs; the right Verilog with one wrong weight differs, and the place is named."""
    found = json.loads(run("sim", emitted, "--random", "--seed", "5", "--json"))
    assert (found["mismatches"], found["first_mismatch"]) == (0, None)
    manifest = json.loads((emitted / "manifest.json").read_text())
    compared = [*manifest["streams"], manifest["ports"][1]]
    assert found["elements"] == found["frames"] * sum(prod(entry["order"]) for entry in compared)
    assert [stream["stage"] for stream in found["streams"]] == [stream["stage"] for stream in manifest["streams"]]
    assert all(len(stream["stalled"]) == len(stream["starved"]) == found["frames"] for stream in found["streams"])
    assert found["interval_cycles"] == manifest["interval_cycles"] == found["predicted_interval_cycles"]
    assert found["latency_cycles"] == manifest["latency_cycles"]
    weights = copied / "layer_02_depthwise_weights.hex"
    lines = weights.read_text().split()
    weights.write_text("\n".join(["0" * len(lines[0]), *lines[1:]]))
    found = json.loads(run("sim", copied, "--random", "--seed", "5", "--frames", "1", "--json", status=1))
    assert 0 < found["mismatches"] < found["elements"] and found["interval_cycles"] is None
    assert found["first_mismatch"].startswith("layer_02_depthwise (tensor ")
    assert "row 0, column" in found["first_mismatch"]


def test_sim_of_verilog_with_an_error(copied):
    verilog = copied / json.loads((copied / "manifest.json").read_text())["verilog"][0]
    verilog.write_text(verilog.read_text() + "\nmodule more(;\n")
    message = run("sim", copied, "--random", status=2)
    assert "Verilator failed" in message and f"{verilog.name}:" in message and "syntax error" in message


def sealed(change):
    """A change that leaves the manifest as if mbconv had written it."""

    def changed(manifest: dict) -> None:
        change(manifest)
        manifest["seal"] = seal(manifest)

    return changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(interval_cycles=1), "it was edited by hand: emit again"),
        (lambda m: m["ports"][1].update(zero_point=9), "it was edited by hand: emit again"),
        (lambda m: m.pop("seal"), "it was edited by hand: emit again"),
        (lambda m: m.update(version=99), "is no mbconv manifest of version 2"),
        (sealed(lambda m: m.update(source=None)), "does not name its model"),
        (sealed(lambda m: m.update(memory_files=["/etc/passwd"])), "names a file outside it, '/etc/passwd'"),
        (sealed(lambda m: m["memory_files"].append("more.hex")), "more.hex, which the manifest names, is missing"),
    ],
)
def test_sim_of_an_edited_manifest(change, message, copied):
    edit(copied / "manifest.json", change)
    assert message in run("sim", copied, "--random", status=2)


def test_sim_of_edited_verilog(copied):
    """What differs is named, and the first stage with it; where a stage is gone the outputs are compared."""
    verilog, primitives = (copied / name for name in json.loads((copied / "manifest.json").read_text())["verilog"])
    text = primitives.read_text()
    primitives.write_text(text.replace("a_input * b_input", "a_input + b_input"))
    result = CliRunner().invoke(main, ["sim", str(copied), "--frames", "1"])
    assert result.exit_code == 1 and f"{primitives.name} was edited since it was emitted" in result.stderr
    assert "first mismatch: layer_01_pointwise (tensor " in result.stdout
    primitives.write_text(text)
    verilog.write_text(verilog.read_text().replace("layer_01_pointwise ", "renamed "))
    found = json.loads(run("sim", copied, "--json"))
    manifest = json.loads((copied / "manifest.json").read_text())
    assert (found["mismatches"], found["streams"]) == (0, [])
    assert found["elements"] == found["frames"] * prod(manifest["ports"][1]["order"])


def test_sim_of_what_is_no_emitted_folder(copied, tmp_path):
    assert "is an emitted folder, whose plan is fixed: it takes no --layers, --multipliers" in run(
        "sim", copied, "--random", *LAYERS, status=2
    )
    (copied / "mbconv_primitives.v").unlink()
    assert "mbconv_primitives.v, which the manifest names, is missing: emit again" in run(
        "sim", copied, "--random", status=2
    )
    (copied / "manifest.json").write_text("{")
    assert "manifest.json is not JSON" in run("sim", copied, "--random", status=2)
    assert "has no manifest.json: it is no folder of mbconv emit" in run("sim", tmp_path, "--random", status=2)


def test_sim_without_its_model(model, tmp_path):
    """A model that was moved, and another in its place."""
    here = Path(shutil.copy(model, tmp_path / "here.tflite"))
    run("emit", here, "-o", tmp_path / "folder", *LAYERS)
    here.unlink()
    assert f"{here}, the model that {tmp_path / 'folder'} was made from, is not there any more" in run(
        "sim", tmp_path / "folder", "--random", status=2
    )
    shutil.copy(builtin("cifar10").path, here)
    assert f"{here} is not the model any more that" in run("sim", tmp_path / "folder", "--random", status=2)


def test_stalls_are_a_table(emitted):
    """Each stream with its readers, and the cycles of its last frame."""
    found = json.loads(run("sim", emitted, "--random", "--json"))
    lines = run("sim", emitted, "--random", "--stalls").splitlines()
    start = next(number for number, line in enumerate(lines) if line.split()[:2] == ["stream", "of"])
    rows = [line.split() for line in lines[start + 2 : start + 2 + len(found["streams"])]]
    assert [row[:2] for row in rows] == [
        ["input", "layer_01_pointwise"],
        ["layer_01_pointwise", "layer_02_depthwise"],
        ["layer_02_depthwise", "output"],
    ]
    numbers = [[int(cell.replace(",", "")) for cell in row[2:]] for row in rows]
    assert numbers == [[s["beats"], s["stalled"][-1], s["starved"][-1]] for s in found["streams"]]
    sums = [sum(row) for row in numbers]
    assert sums[0] == sums[2] == found["interval_cycles"] > sums[1]  # in the middle at times neither end is ready
    assert "sets the pace" in " ".join(lines)


@pytest.mark.slow
def test_testbench_without_mbconv(tmp_path):
    """In a process that cannot import mbconv: right, then with a wrong vector, then with other predicted cycles."""
    folder = tmp_path / "emitted"
    run("emit", "digits", "-o", folder, *LAYERS, "--testbench", "--seed", "3")
    (tmp_path / "mbconv").mkdir()
    (tmp_path / "mbconv" / "__init__.py").write_text('raise ImportError("a test bench must not need mbconv")')
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def testbench() -> tuple[int, str]:
        command = [sys.executable, folder / "testbench" / "run.py"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    status, text = testbench()
    assert status == 0 and "2 tests, 0 failed" in text, text[-3000:]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert f"interval {manifest['interval_cycles']} cycles, predicted {manifest['interval_cycles']}" in text
    assert f"latency {manifest['latency_cycles']} cycles, predicted {manifest['latency_cycles']}" in text

    def wrong(vectors: dict) -> None:
        """Another value of channel 3, or the right one again."""
        (name,) = vectors["outputs"]
        first = vectors["outputs"][name][0]
        vectors["outputs"][name][0] = f"{first[:6]}{int(first[6:8], 16) ^ 1:02x}{first[8:]}"

    edit(folder / "testbench" / "vectors.json", wrong)
    status, text = testbench()
    assert status == 1 and "Failed 2 of 2 tests" in text
    assert "frame 0, row 0, column 0, channel 3: " in text
    edit(folder / "testbench" / "vectors.json", wrong)
    edit(folder / "manifest.json", lambda found: found.update(interval_cycles=manifest["interval_cycles"] + 1))
    status, text = testbench()
    assert status == 1 and "Failed 1 of 2 tests" in text


def test_names_that_are_no_text(tmp_path):
    """A path of bytes that are no UTF-8, with a line break: emitted, and its model found again."""
    model = tmp_path / os.fsdecode(b"bad\xff\nname.tflite")
    folder = tmp_path / os.fsdecode(b"out\xff")
    shutil.copy(builtin("digits").path, model)
    result = CliRunner().invoke(main, ["emit", str(model), "--multipliers", "8", "-o", str(folder), "--json"])
    assert result.exit_code == 0, result.stderr
    found = read_emitted(folder)
    assert found.model.name == "bad__name" and found.bundle.top == "bad__name"
    assert found.bundle.manifest["source"]["path"] == str(model)
