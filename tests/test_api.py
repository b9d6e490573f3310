"""The library as users import it: small, quick to import, typed, and readable where it is printed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import mbconv

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")


@pytest.fixture(scope="module")
def design():
    return mbconv.design(mbconv.load("digits"), mbconv.Target(multipliers=16))


def test_importing_is_quick():
    """Nothing heavy is imported before something is used."""
    code = (
        "import sys, mbconv; print([n for n in ('numpy', 'amaranth', 'mbconv.api') if n in sys.modules]); mbconv.load"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_is_there():
    assert set(dir(mbconv)) >= {"load", "plan", "design", "emit", "simulate", "build", "Target"}
    assert all(getattr(mbconv, name) is not None for name in mbconv.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = mbconv.nothing
    assert (Path(mbconv.__file__).parent / "py.typed").exists()


def test_everything_prints_in_one_line(design):
    objects = [design.graph, design, design.plan, design.network, design.schedule, *design.stages, *design.graph]
    for value in objects:
        text = repr(value)
        assert len(text) < 160 and "\n" not in text and type(value).__name__ in text
        assert value._repr_html_().startswith("<table>")
    assert repr(design) == (
        "<Design of digits, stages 10, multipliers 16, interval "
        f"{design.schedule.interval:,}, latency {design.schedule.latency:,}, memory bits {design.memory_bits:,}>"
    )


def test_to_dict_is_plain(design):
    for value in (design.graph, design, design.plan):
        assert json.loads(json.dumps(value.to_dict())).keys() == value.to_dict().keys()
    assert design.plan.to_dict()["interval_cycles"] == design.to_dict()["interval_cycles"] == design.schedule.interval


def test_a_range_planned_for_a_rate():
    graph = mbconv.load("digits", layers=(1, 3))
    found = mbconv.plan(graph, mbconv.Target(fps=1000, clock_mhz=10))
    assert found.interval <= 10_000 and found.budget is None
    assert mbconv.design(graph, found).plan is found


def test_errors_are_the_librarys():
    with pytest.raises(mbconv.MbconvError, match="is no file"):
        mbconv.load("nothing.tflite")
    with pytest.raises(mbconv.MbconvError, match="a target is one of"):
        mbconv.Target(multipliers=3, interval=4)


def test_emitted_and_simulated(tmp_path):
    """A folder and the design that it was made from give the same."""
    part = mbconv.design(mbconv.load("block:pointwise,height=2,width=2,channels=2"))
    bundle = mbconv.emit(part, tmp_path)
    assert bundle.manifest == json.loads((tmp_path / "manifest.json").read_text())
    assert repr(bundle).startswith("<Bundle pointwise_2x2x2: 2 Verilog and ")
    result = mbconv.simulate(part, seed=3)
    assert result.ok and result.to_dict()["mismatches"] == 0
    assert "\n" not in repr(result) and repr(result).startswith("<SimulationResult: 0 mismatches in ")
