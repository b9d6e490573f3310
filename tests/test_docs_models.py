"""The code of docs/models.md, run as it stands: from PyTorch and Keras to a file that mbconv sim accepts."""

import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import model as golden
from mbconv.sim.golden import oracle
from mbconv.sim.pictures.pictures import load_picture

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parent.parent / "docs" / "models.md"
CONVERTERS = os.environ.get("MBCONV_CONVERTERS", sys.executable)
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """The fenced blocks of the page in one language, in order."""
    return [textwrap.dedent(text) for _, kind, text in _FENCE.findall(PAGE.read_text()) if kind == language]


def commands(model: str) -> list[list[str]]:
    """The page's mbconv commands for a model file."""
    lines = [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]
    return [line[1:] for line in lines if line[0] == "mbconv" and model in line]


@pytest.fixture
def folder(tmp_path):
    """The page's scripts, and pictures beside them."""
    for text in blocks("python"):
        (tmp_path / re.match(r"# (\w+\.py)\n", text)[1]).write_text(text)
    (tmp_path / "pictures").mkdir()
    generator = np.random.default_rng(0)
    for number in range(16):
        coarse = generator.integers(0, 256, (5, 5, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((40, 40), Image.Resampling.BICUBIC)
        picture.save(tmp_path / "pictures" / f"{number:02d}.png")
    return tmp_path


def convert(folder: Path, script: str, *packages: str) -> None:
    """Run a script of the page in the converters' Python; skip where a package that it needs is missing."""
    probe = f"import importlib.util as u; print([p for p in {packages!r} if u.find_spec(p) is None])"
    try:
        found = subprocess.run([CONVERTERS, "-c", probe], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.fail(f"MBCONV_CONVERTERS names no Python: {error}")
    if found != "[]":
        pytest.skip(f"{CONVERTERS} lacks {found}; docs/models.md says how to install them, MBCONV_CONVERTERS where")
    run = subprocess.run([CONVERTERS, script], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def shown() -> list[int]:
    """Multipliers, budget, MACs and elements of the simulation that the page shows the end of."""
    pattern = r"^(\d+) multipliers of (\d+); ([\d,]+) MACs a frame; .*\n0 mismatches in ([\d,]+) elements$"
    numbers = re.search(pattern, PAGE.read_text(), re.MULTILINE).groups()
    return [int(number.replace(",", "")) for number in numbers]


def check(folder: Path, model: str) -> None:
    """The page's commands succeed, the circuit is exact, and the golden model agrees with LiteRT in every tensor."""
    asked = commands(model)
    assert any(arguments[0] == "sim" for arguments in asked)
    for arguments in asked:
        as_json = ["--json"] if arguments[0] == "sim" else []
        run = subprocess.run(
            [sys.executable, "-m", "mbconv", *arguments, *as_json], cwd=folder, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stdout + run.stderr
        if as_json:
            result = json.loads(run.stdout)
            assert result["mismatches"] == 0 and result["elements"] > 100_000
            assert result["interval_cycles"] == result["predicted_interval_cycles"]
            if model == "pytorch.tflite":
                assert shown() == [result[name] for name in ("multipliers", "budget", "macs", "elements")]

    graph = read_tflite(folder / model)
    source = graph.tensors[graph.inputs[0]]
    for picture in sorted((folder / "pictures").glob("*.png"))[:4]:
        values = load_picture(picture, source)
        expected = oracle.run_reference(folder / model, {source.index: values})
        for index, computed in golden.run(graph, {source.index: values}).items():
            np.testing.assert_array_equal(computed, expected[index], f"tensor {index} of {model}")


@pytest.mark.parametrize("layout", ["", "_channel_first"])
def test_pytorch(folder, layout):
    convert(folder, f"pytorch_convert{layout}.py", "litert_torch", "ai_edge_quantizer", "torch", "PIL")
    check(folder, f"pytorch{layout}.tflite")


def test_keras(folder):
    convert(folder, "keras_convert.py", "tensorflow", "keras", "PIL")
    check(folder, "keras.tflite")
