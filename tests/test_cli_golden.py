"""mbconv golden: what is compared, what a difference looks like, what is refused."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mbconv.cli import main
from mbconv.models import builtin, load
from mbconv.sim.golden import compare as comparison

pytest.importorskip("ai_edge_litert", reason="compares with LiteRT: pip install 'mbconv[oracle]'")


def run(*arguments: object, status: int = 0):
    result = CliRunner().invoke(main, ["golden", *map(str, arguments)])
    assert result.exit_code == status, result.output
    return result


def test_every_element_of_every_computed_tensor_counts():
    found = json.loads(run("digits", "--random", 3, "--json").stdout)
    graph = load("digits")
    computed = [graph.tensors[index] for operator in graph for index in operator.outputs]
    elements = 3 * sum(int(np.prod(tensor.shape)) for tensor in computed)
    assert found["models"] == [
        {"model": "digits", "frames": 3, "tensors": len(computed), "elements": elements, "differing": 0, "first": None,
         "refused": None}
    ]  # fmt: skip
    assert (found["elements"], found["differing"]) == (elements, 0)
    assert f"{elements:,} elements compared" in run("digits", "--random", 3).stdout


def test_a_difference_is_counted_and_named(monkeypatch):
    right = comparison.golden.run

    def wrong(graph, inputs):
        results = right(graph, inputs)
        index = graph.outputs[0]
        return results | {index: results[index] ^ np.array([0, 1] + [0] * 8, results[index].dtype)}

    last = load("digits").operators[-1]
    monkeypatch.setattr(comparison.golden, "run", wrong)
    index = load("digits").outputs[0]
    assert index in last.outputs
    found = run("digits", "--random", 2, status=1).stdout
    assert f"frame 0, tensor {index} " in found and " at [0, 1]: " in found and ", 2 differ" in found


def test_files_of_a_folder_that_are_refused_are_left_out(tmp_path):
    shutil.copy(builtin("digits").path, tmp_path / "b.tflite")
    (tmp_path / "a.tflite").write_bytes(b"nothing")
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(tmp_path / "picture.png")
    text = run(tmp_path, "--image", tmp_path / "picture.png").stdout
    assert "a is left out: " in text and "elements compared with LiteRT's reference kernels, 0 differ" in text
    run(tmp_path / "a.tflite", status=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("digits", "--random", 0), "nothing to run"),
        (("block:pointwise,height=2,width=2,channels=2",), "is no file"),
        (("EMPTY",), "holds no .tflite files"),
        ((), "Missing argument"),
    ],
)
def test_refusals(arguments, message, tmp_path):
    (tmp_path / "empty").mkdir()
    given = [tmp_path / "empty" if argument == "EMPTY" else argument for argument in arguments]
    assert message in run(*given, status=2).stderr


@pytest.mark.shared
@pytest.mark.slow
def test_all_models(shared):
    """The row of README."""
    images = shared / "images" / "misc"
    pictures = [part for name in ("grace_hopper.bmp", "parrot.jpg") for part in ("--image", images / name)]
    found = json.loads(run("digits", "cifar10", shared / "models", *pictures, "--json").stdout)
    assert found["differing"] == 0
    assert [row["model"] for row in found["models"] if row["refused"]] == ["person_detect"]
