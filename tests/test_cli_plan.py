"""``mbconv plan`` and the options that name a target."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from mbconv.cli import main
from mbconv.engine_form import EngineForm

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")
KEYS = (
    "interval_cycles",
    "latency_cycles",
    "multipliers",
    "budget",
    "macs",
    "mac_efficiency",
    "mac_efficiency_used",
    "memory_bits",
    "stages",
)


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, ["plan", *arguments])
    assert result.exit_code == status, result.output
    if status:
        assert result.stdout == "" and "Traceback" not in result.stderr
        return result.stderr
    return result.stdout


def test_json_keys():
    found = json.loads(run("digits", "--multipliers", "16", "--json"))
    assert tuple(key for key in found if key in KEYS) == KEYS
    assert (found["interval_cycles"], found["multipliers"], found["budget"], found["macs"]) == (4608, 16, 16, 67296)
    assert found["mac_efficiency"] + sum(loss["share"] for loss in found["losses"]) == pytest.approx(1, abs=1e-12)
    assert sum(stage["macs"] for stage in found["stages"]) == 67296
    assert sum(stage["memory_bits"] for stage in found["stages"]) == found["memory_bits"]


def test_the_table():
    text = run("digits", "--multipliers", "16")
    assert "digits, planned for 16 multipliers" in text
    assert "layer_07_pointwise" in text and "interval 4,608 cycles" in text
    assert "MAC efficiency 91.28% of a budget of 16" in text


def test_a_range_of_layers():
    found = json.loads(run("digits", "--layers", "1:5", "--multipliers", "8", "--json"))
    assert [stage["operator"] for stage in found["stages"]] == [1, 2, 3, 4]


def test_a_rate_and_a_board():
    found = json.loads(run("digits", "--fps", "1000", "--clock", "12", "--json"))
    assert found["budget"] is None and found["interval_cycles"] <= 12_000
    assert found["mac_efficiency"] == found["mac_efficiency_used"]
    found = json.loads(run("digits", "--board", "ULX3S-12F", "--json"))
    assert found["budget"] == 28 and found["multipliers"] <= 28
    assert found["board"]["DP16KD"]["available"] == 56
    assert "of 56 DP16KD" in run("digits", "--board", "ulx3s-12f")


def test_both_forms_on_a_board():
    """A board with an engine by name: the network as a pipeline and as a program, and which suits; where the pipeline
    does not fit, the engine is the answer."""
    found = json.loads(run("digits", "--board", "ulx3s-85f", "--json"))
    other = found["engine"]
    assert other["engine"] == "ecp5_32" and other["interval_cycles"] > found["interval_cycles"]
    text = run("digits", "--board", "ulx3s-85f", "--clock", "85")
    assert f"as a pipeline: a frame every {found['interval_cycles']:,} cycles" in text
    assert f"on the engine ecp5_32: a frame every {other['interval_cycles']:,} cycles" in text
    assert "what suits: the pipeline\n" in text
    text = run("block:inverted_residual,height=7,width=7,channels=320,expansion=6,stride=1", "--board", "ulx3s-85f")
    assert "is too small for" in text and "as a pipeline: does not fit" in text
    assert "what suits: the engine, into which the network is uploaded" in text


@pytest.mark.parametrize(
    ("pipeline", "clock", "suits"),
    [
        ((100, 900), None, "the pipeline for pictures that follow one another, the engine for a lone one"),
        ((100, 300), None, "the pipeline"),
        ((900, 9000), 85.0, "the engine"),
        ((900, 9000), 8500.0, "the pipeline"),
    ],
)
def test_which_form_suits(pipeline, clock, suits):
    """By time, at each form's clock."""
    form = EngineForm("any", 85.0, SimpleNamespace(interval=500, cycles=600))
    assert form.text(pipeline, clock).endswith(f"what suits: {suits}")


def test_a_plan_written_edited_and_costed_again(tmp_path):
    path = tmp_path / "plan.json"
    before = json.loads(run("digits", "--multipliers", "16", "-o", str(path), "--json"))
    assert json.loads(run("digits", "--plan", str(path), "--json")) == before
    content = json.loads(path.read_text())
    content["stages"][4]["folding"] = {"inputs": 1, "outputs": 1}
    path.write_text(json.dumps(content))
    after = json.loads(run("digits", "--plan", str(path), "--json"))
    assert after["multipliers"] == before["multipliers"] - 1
    assert after["interval_cycles"] == 2 * before["interval_cycles"]
    content["stages"][4]["folding"] = {"inputs": 25, "outputs": 1}
    path.write_text(json.dumps(content))
    text = run("digits", "--plan", str(path), status=2)
    assert f"{path}: layer_05_pointwise (operator 5), folding 25×1: inputs 25 is no multiple" in text
    assert "this plan was made for" in run("cifar10", "--plan", str(path), status=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--multipliers", "7"), "7 multipliers are too few for this network: it needs at least 8"),
        (("--fps", "1e6", "--clock", "12"), "takes a cycle for each of its 64 pixels; nearest: 187,500 fps at 12 MHz"),
        (("--fps", "10"), "--fps and --clock go together"),
        (("--fps", "nan", "--clock", "10"), "must be a number, not nan"),
        (("--board", "ulx4"), "there is no board 'ulx4'"),
        (("--board", "ulx3s-12f", "--multipliers", "8"), "--multipliers and --board are different targets"),
    ],
)
def test_refusals(arguments, message):
    assert message in run("digits", *arguments, status=2)


def test_a_plan_has_its_own_target(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text("[")
    text = run("digits", "--plan", str(path), "--multipliers", "8", status=2)
    assert "--plan and --multipliers exclude each other: the target is in the file" in text
    assert f"{path}: it is not JSON: line 1" in run("digits", "--plan", str(path), status=2)
