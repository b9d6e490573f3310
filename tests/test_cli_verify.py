"""mbconv verify and evaluate, the ranges of blocks, and results that are kept."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from mbconv.frames import random_frames
from mbconv.generators.emission.bundle import make_bundle
from mbconv.generators.emission.design import make_design
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.graph.ranges import block_ranges
from mbconv.models import load
from mbconv.sim.simulation import kept_results
from mbconv.sim.simulation.kept_results import KeptResults, fingerprint


def mbconv(*arguments, code: int = 0) -> str:
    done = subprocess.run([sys.executable, "-m", "mbconv", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def test_ranges_of_builtin_models():
    assert block_ranges(load("digits")) == [(0, 1), (1, 5), (5, 8), (8, 11)]
    ranges = block_ranges(load("cifar10"))
    assert ranges[0] == (0, 1) and ranges[-1][1] == load("cifar10").operators[-1].index + 1
    assert all(before[1] == after[0] for before, after in pairwise(ranges))


@pytest.mark.shared
def test_ranges_of_mobilenet_v2(shared):
    graph = load(str(shared / "models" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"))
    ranges = block_ranges(graph)
    assert len(ranges) == 1 + 17 + 1  # first convolution, blocks, head
    assert ranges[:4] == [(0, 2), (2, 4), (4, 7), (7, 11)]
    for first, last in ranges[:-1]:
        part = graph.layers(first, last)
        assert len(part.inputs) == len(part.outputs) == 1


def test_verify_resumes(tmp_path):
    store = tmp_path / "kept.jsonl"
    arguments = ("verify", "digits", "--random", "--multipliers", 8, "--results", store, "--json")
    first = json.loads(mbconv(*arguments))
    assert first["ok"] and [block["layers"] for block in first["blocks"]] == [[0, 1], [1, 5], [5, 8], [8, 11]]
    assert all(block["mismatches"] == 0 and block["elements"] for block in first["blocks"])
    assert all(block["interval_cycles"] == block["predicted_interval_cycles"] for block in first["blocks"])
    assert all(block["latency_cycles"] == block["predicted_latency_cycles"] for block in first["blocks"])
    lines = store.read_text().splitlines()
    # The last result lost, one cut off in the middle: these two are simulated again, the others taken as they are.
    store.write_text("\n".join([*lines[:2], lines[2][:40]]))
    again = json.loads(mbconv(*arguments))
    assert [block["seconds"] for block in again["blocks"][:2]] == [block["seconds"] for block in first["blocks"][:2]]
    assert again["ok"] and len(store.read_text().splitlines()) == 5


def test_predictions_are_made_anew(tmp_path):
    """A kept result holds no prediction, no cost and no verdict, and a result says that it was kept."""
    store = tmp_path / "kept.jsonl"
    arguments = ("verify", "block:pointwise,height=2,width=2,channels=2", "--results", store, "--json")
    (first,) = json.loads(mbconv(*arguments))["blocks"]
    kept = json.loads(store.read_text())["measured"]
    assert not [key for key in kept if "predicted" in key or key in ("ok", "budget", "multipliers", "macs")]
    (again,) = json.loads(mbconv(*arguments))["blocks"]
    assert (first.pop("kept"), again.pop("kept")) == (False, True) and first == again


def test_the_key_covers_all_that_a_measurement_depends_on(monkeypatch):
    graph = load("digits")
    bundle = make_bundle(make_design(graph, 16))
    frames = random_frames(graph, 2, seed=1)
    keys = [fingerprint(bundle, graph, frames), fingerprint(bundle, graph, random_frames(graph, 2, seed=2))]
    memory = next(iter(bundle.memory_files))
    keys.append(fingerprint(replace(bundle, memory_files=bundle.memory_files | {memory: "0\n"}), graph, frames))
    keys.append(fingerprint(replace(bundle, verilog=bundle.verilog | {"digits.v": "module"}), graph, frames))
    operators = list(graph.operators)
    operators[0] = replace(operators[0], weights=operators[0].weights ^ 1)
    keys.append(fingerprint(bundle, replace(graph, operators=tuple(operators)), frames))
    monkeypatch.setattr(kept_results, "_environment", lambda: "another Verilator")
    keys.append(fingerprint(bundle, graph, frames))
    assert len(set(keys)) == len(keys)
    budget = replace(bundle, manifest=bundle.manifest | {"budget": 99, "interval_cycles": 1})
    assert fingerprint(budget, graph, frames) == keys[-1]


def test_verify_says_what_is_wrong(tmp_path):
    """A kept result with a mismatch is shown and exits with 1."""
    store = tmp_path / "kept.jsonl"
    arguments = ("verify", "block:pointwise,height=2,width=2,channels=2", "--random", "--results", store)
    mbconv(*arguments)
    entry = json.loads(store.read_text())
    wrong = entry["measured"] | {"mismatches": 3, "first_mismatch": "layer_00_pointwise …"}
    store.write_text(json.dumps(entry | {"measured": wrong}) + "\n")
    done = subprocess.run([sys.executable, "-m", "mbconv", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "layer_00_pointwise" in done.stdout and "0 of 1 blocks" in done.stdout


def test_results_that_cannot_be_written(tmp_path):
    """Said before anything is simulated; what is asked for in vain leaves nothing."""
    (tmp_path / "file").write_text("")
    store = tmp_path / "file" / "kept.jsonl"
    message = mbconv("verify", "digits", "--results", store, code=2)
    assert message == f"mbconv: {store} cannot be written: File exists\n"
    KeptResults(tmp_path / "kept.jsonl").check()
    assert not (tmp_path / "kept.jsonl").exists()


def test_kept_results_refuse_an_unreadable_file(tmp_path):
    with pytest.raises(GraphError, match="cannot be read"):
        KeptResults(tmp_path)


def test_evaluate(tmp_path):
    """Two pictures in folders by class; the model is the built-in cifar10 and answers deterministically."""
    for label in range(10):
        (tmp_path / f"class{label}").mkdir()
    for label, value in ((0, 0), (1, 255)):
        picture = tmp_path / f"class{label}" / "picture.png"
        Image.fromarray(np.full((32, 32, 3), value, np.uint8)).save(picture)
    answer = json.loads(mbconv("evaluate", "cifar10", "--images", tmp_path, "--json"))
    assert answer["pictures"] == 2 and 0 <= answer["top1"] <= 1
    assert answer["mismatches"] in (0, None)
    limited = json.loads(mbconv("evaluate", "cifar10", "--images", tmp_path, "--limit", 1, "--json"))
    assert limited["pictures"] == 1


def test_labels_are_checked_before_the_first_picture(tmp_path):
    """The files are no pictures: nobody looks at them."""
    for name in ("0_a.png", "10_b.png", "11_c.png"):
        (tmp_path / name).write_text("")
    message = mbconv("evaluate", "cifar10", "--images", tmp_path, code=2)
    assert (
        f"has the classes 0 to 9; of other classes are {tmp_path / '10_b.png'} (10), {tmp_path / '11_c.png'} (11)"
        in message
    )
    for name in ("0_a.png", "10_b.png", "11_c.png"):
        (tmp_path / name[0]).mkdir(exist_ok=True)
        (tmp_path / name).rename(tmp_path / name[0] / name)
    assert "there are 2 folders of classes, but cifar10 has 10 outputs" in mbconv(
        "evaluate", "cifar10", "--images", tmp_path, code=2
    )


def test_a_plan_of_the_whole_serves_every_block(tmp_path):
    """A block has the foldings of the whole network's plan, and a budget that is too small is said of all blocks."""
    from mbconv.cli_target import TargetOptions, block_plans, planned_design
    from mbconv.generators.graph.ranges import block_ranges
    from mbconv.models import load

    graph = load("digits")
    path = tmp_path / "plan.json"
    mbconv("plan", "digits", "--multipliers", 16, "-o", path)
    whole = planned_design(graph, TargetOptions(plan=path))[0].plan
    parts = [graph.layers(*ends) for ends in block_ranges(graph)]
    plans = block_plans(graph, parts, TargetOptions(plan=path))
    assert [folding for plan in plans for folding in plan.foldings.items()] == list(whole.foldings.items())
    assert max(plan.interval for plan in plans) == whole.interval == 4608
    message = mbconv("verify", "digits", "--multipliers", 1, "--results", tmp_path / "kept" / "a.jsonl", code=2)
    assert "2 of 4 blocks cannot be planned:" in message and "operators 5:8: 1 multiplier is too few" in message
    assert not (tmp_path / "kept").exists()


def test_evaluate_refuses(tmp_path):
    assert "holds no pictures" in mbconv("evaluate", "cifar10", "--images", tmp_path, code=2)
