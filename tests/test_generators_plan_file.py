"""Plans written, read back and edited: what keeps the rules is costed again, what breaks one is named."""

import json
from dataclasses import replace

import pytest
from small_networks import GraphBuilder

from mbconv.fpga.boards import find_board
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.planning.folding import Folding
from mbconv.generators.planning.plan_cycles import stage_cycles
from mbconv.generators.planning.plan_file import parse_plan, plan_text, read_plan, structure_of, write_plan
from mbconv.generators.planning.planner import plan_for_multipliers
from mbconv.generators.planning.targets import make_target, plan_for_target
from mbconv.generators.stages.network import Network, build_network
from mbconv.models import load


def small_network(kernel=(3, 3)) -> Network:
    """Convolution 0 (tensor 0 to 1), depthwise 1 (to 2), pointwise 2 (to 3), add 3 of 3 and 1 (to 4), the map read
    as a vector by 4 (to 5)."""
    g = GraphBuilder()
    x = g.convolution(g.input(6, 6, 3), 8, kernel, (2, 2))
    y = g.add(g.convolution(g.depthwise(x), 8), x)
    return build_network(g.graph(g.fully_connected(y, 4)))


@pytest.fixture(scope="module")
def network() -> Network:
    return small_network()


@pytest.fixture
def plan(network) -> dict:
    """The file of a plan with folding 3×2, 3×2, 2×2 and 2×2, two lanes between, one at the input, as an object."""
    best = plan_for_multipliers(network, 40)
    foldings = {0: Folding(3, 2), 1: Folding(3, 2), 2: Folding(2, 2), 4: Folding(2, 2)}
    lanes = {0: 1, 1: 2, 2: 2, 3: 2, 4: 2, 5: 2}
    text = plan_text(network, replace(best, foldings=foldings, lanes=lanes), make_target(multipliers=40))
    return json.loads(text)


def parse(network: Network, plan: dict):
    return parse_plan(json.dumps(plan).encode(), network)


def message(network: Network, plan) -> str:
    with pytest.raises(GraphError) as caught:
        parse_plan(plan if isinstance(plan, bytes) else json.dumps(plan).encode(), network, find_board)
    return str(caught.value)


TARGETS = [{"multipliers": 40}, {"fps": 29.97, "clock_mhz": 0.1}, {"interval": 500}, {"board": find_board("ulx3s-85f")}]


@pytest.mark.parametrize("fields", TARGETS, ids=lambda fields: next(iter(fields)))
def test_round_trip(tmp_path, network, fields):
    target = make_target(**fields)
    chosen = plan_for_target(network, target)
    path = tmp_path / "plan.json"
    write_plan(path, network, chosen, target)
    read, read_target = read_plan(path, network, find_board)
    assert read_target == target
    assert read == replace(chosen, budget=target.budget)
    write_plan(tmp_path / "again.json", network, read, read_target)
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("model", ["digits", "cifar10"])
def test_built_in_models(model):
    built = build_network(load(model))
    target = make_target()
    chosen = plan_for_target(built, target)
    assert parse_plan(plan_text(built, chosen, target).encode(), built) == (chosen, target)


def test_the_file_is_readable(network, plan):
    assert plan["stages"][1] == {
        "operator": 1,
        "name": "layer_01_depthwise",
        "folding": {"inputs": 3, "outputs": 2},
    }
    assert plan["lanes"][1] == {"tensor": 1, "name": "tensor1", "channels": 8, "lanes": 2}
    text = plan_text(network, parse(network, plan)[0], make_target(multipliers=40))
    assert len(text.splitlines()) == 4 + 2 + 4 + 2 + 6 + 2, "one line for each stage and stream"


def test_an_edited_plan_is_costed_again(network, plan):
    before, _ = parse(network, plan)
    plan["stages"][0]["folding"] = {"inputs": 1, "outputs": 2}
    after, _ = parse(network, plan)
    assert after.foldings[0] == Folding(1, 2) and after.multipliers == before.multipliers - 4
    assert stage_cycles(network, network.nodes[0], after) == 9 * 4 * 27 == after.interval > before.interval


def test_pixels_may_share_groups_of_outputs(network, plan):
    plan["stages"][2]["folding"] = {"inputs": 2, "outputs": 6, "pixels": 3}
    after, target = parse(network, plan)
    assert after.foldings[2] == Folding(2, 6, 3)
    assert stage_cycles(network, network.nodes[2], after) == 3 * 4 * 4
    assert json.loads(plan_text(network, after, target))["stages"][2] == plan["stages"][2]


def test_weights_do_not_matter_but_structure_does(network):
    assert structure_of(network) == structure_of(small_network())
    assert structure_of(network) != structure_of(small_network((5, 5)))
    graph = load("digits")
    part = build_network(graph.layers(0, 3))
    assert structure_of(part) != structure_of(build_network(graph))


def _folding(stage, inputs, outputs):
    def change(plan):
        plan["stages"][stage]["folding"] = {"inputs": inputs, "outputs": outputs}

    return change


def _pixels(stage, pixels):
    return lambda plan: plan["stages"][stage]["folding"].update(pixels=pixels)


def _lanes(tensors, count):
    def change(plan):
        for row in plan["lanes"]:
            if row["tensor"] in tensors:
                row["lanes"] = count

    return change


def _set(*path, value):
    def change(plan):
        for key in path[:-1]:
            plan = plan[key]
        plan[path[-1]] = value

    return change


def _delete(*path):
    def change(plan):
        for key in path[:-1]:
            plan = plan[key]
        del plan[path[-1]]

    return change


EDITED = {
    "outputs beyond the channels": (
        _folding(2, 2, 10),
        "layer_02_pointwise (operator 2), folding 2×10: outputs 10 is no multiple of the 2 lanes of tensor 3 that "
        "suits 8 channels; use 8",
    ),
    "inputs beyond the channels": (_folding(2, 10, 2), "inputs 10 is no multiple of the 2 lanes of tensor 2"),
    "outputs that lanes do not divide": (_folding(2, 2, 3), "2 lanes of tensor 3 that suits 8 channels; use 2 or 4"),
    "inputs that lanes do not divide": (_folding(2, 3, 2), "inputs 3 is no multiple of the 2 lanes of tensor 2"),
    "depthwise outputs": (
        _folding(1, 3, 3),
        "layer_01_depthwise (operator 1), folding 3×3: outputs 3 is no multiple of the 2 lanes of tensor 1 and the 2 "
        "lanes of tensor 2 that suits 8 channels; use 2 or 4",
    ),
    "depthwise beyond the channels": (_folding(1, 3, 10), "suits 8 channels; use 8"),
    "taps": (_folding(1, 2, 2), "inputs 2 is neither 1, nor a kernel row, nor the whole kernel; use 1 or 3"),
    "pixels of no pointwise stage": (
        _pixels(1, 2),
        "layer_01_depthwise (operator 1), folding 3×2 on 2: pixels 2 do not share groups of outputs in a depthwise "
        "stage of 9 pixels; use 1",
    ),
    "pixels that do not divide the frame": (
        _pixels(2, 2),
        "pixels 2 do not share groups of outputs in a pointwise stage of 9 pixels; use 1 or 3",
    ),
    "pixels that share nothing": (
        _pixels(2, 3),
        "pixels 3 have nothing to share: 2 outputs leave no rest of 8 channels that 2 lanes divide; use 1",
    ),
    "pixels that leave too slowly": (
        lambda plan: (_folding(2, 4, 6)(plan), _pixels(2, 3)(plan)),
        "the outputs of 3 pixels leave over the 2 lanes of tensor 3 in 16 cycles, but are done in 8; it needs fewer "
        "pixels or more lanes",
    ),
    "no number of pixels": (_pixels(2, 0), "folding's pixels must be a whole number from 1 up, not 0"),
    "convolution": (
        _folding(0, 4, 2),
        "inputs 4 neither divides nor is a multiple of what the window gives a cycle (3, 9, 27 elements), up to all of "
        "them; use 3 or 6",
    ),
    "convolution's lanes": (_lanes([0], 2), "the 2 lanes of tensor 0 do not divide its 3 channels; no value does"),
    "drained too slowly": (
        _folding(2, 8, 8),
        "8 outputs leave over the 2 lanes of tensor 3 in 4 cycles, but the next are done after 1; it needs "
        "fewer inputs or outputs a cycle, or at least 8 lanes",
    ),
    "too many lanes": (_lanes([2], 9), "tensor 2 'tensor2' has 9 lanes, more than its 8 channels"),
    "lanes that must agree": (
        _lanes([3], 4),
        "tensor 1: 2, tensor 3: 4, tensor 4: 2 lanes; layer_03_add between them need the same number in all",
    ),
    "lanes of a vector": (_lanes([1, 3, 4], 3), "which must divide 8 and 72, the channels in which it is"),
    "several": (lambda plan: (_folding(1, 2, 2)(plan), _folding(2, 3, 2)(plan)), "2 things are wrong:\n  layer_01"),
    "over the target": (
        _set("target", value={"multipliers": 15}),
        "the foldings take 20 multipliers, but the target is 15 multipliers: fold more (the largest are "
        "layer_01_depthwise 6, layer_00_convolution 6, layer_04_pointwise 4), or change the target",
    ),
    "slower than the target": (
        _set("target", value={"fps": 10, "clock_mhz": 0.001}),
        "the target is 10 fps at 0.001 MHz: at most 100 cycles a frame, but layer_00_convolution takes 324, "
        "layer_01_depthwise takes 108, layer_02_pointwise takes 144, the stream of",
    ),
    "stream slower than the target": (
        _set("target", value={"interval": 100}),
        "the stream of tensor 0 takes 108: fold less or give more lanes",
    ),
    "unknown operator": (_set("stages", 1, "operator", value=3), "stages[1]: operator 3 has no entry in a plan of"),
    "operator as text": (_set("stages", 1, "operator", value="1"), 'stages[1]: operator "1" has no entry'),
    "another name": (
        _set("stages", 1, "name", value="layer_00_pointwise"),
        "stages[1]: operator 1 is 'layer_01_depthwise', not \"layer_00_pointwise\"",
    ),
    "twice": (lambda plan: plan["stages"].append(plan["stages"][0]), "stages[4]: operator 0, layer_00_convolution, is"),
    "missing stage": (_delete("stages", 2), "stages lacks operator 2, layer_02_pointwise"),
    "missing lanes": (_delete("lanes", 0), "lanes lacks tensor 0, tensor0"),
    "no stages": (_delete("stages"), "the plan lacks stages"),
    "zero": (_folding(2, 0, 2), "layer_02_pointwise (operator 2): folding's inputs must be a whole number from 1"),
    "negative": (_lanes([2], -1), "tensor2 (tensor 2): lanes must be a whole number from 1 up, not -1"),
    "fraction": (_folding(2, 2.5, 2), "from 1 up, not 2.5"),
    "truth": (_lanes([2], True), "from 1 up, not true"),
    "text": (_set("stages", 0, "folding", value="3×2"), 'folding must be an object with inputs, outputs, not "3×2"'),
    "huge": (_folding(2, 2, 10**30), "from 1 up, not 1000000000"),
    "typing error": (_set("stages", 0, "foldings", value=1), 'stages[0] has "foldings", which means nothing here'),
    "stages as object": (_set("stages", value={}), "stages must be a list, not {}"),
    "another network": (_set("model", "structure", value="sha256:0"), "this plan was made for 'small', whose layers"),
    "another version": (_set("version", value=2), "version 2; this mbconv reads 'mbconv plan', version 1"),
    "two targets": (_set("target", value={"multipliers": 40, "board": "ulx3s-85f"}), "a target is one of"),
    "no target": (_set("target", value={}), "target must be an object with one of multipliers, fps"),
    "unknown target": (_set("target", value={"dsp": 3}), "target must be an object with one of multipliers, fps"),
    "unknown board": (_set("target", value={"board": "ulx3s-58f"}), "did you mean ulx3s-85f?"),
    "target as text": (_set("target", value={"multipliers": "many"}), 'target: multipliers must be a whole number'),
    "rate as text": (_set("target", value={"fps": "many", "clock_mhz": 1}), "the frames per second must be a number"),
    "rate as list": (_set("target", value={"fps": [1], "clock_mhz": 1}), "target: fps must be a number, not [1]"),
    "rate alone": (_set("target", value={"fps": 10}), "go together: give both"),
    "no rate": (
        _set("target", value={"fps": 0, "clock_mhz": 1}),
        "a target's frames per second must be from 1e-06 to 1,000,000,000, not 0",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), EDITED.values(), ids=EDITED)
def test_edited_plans(network, plan, change, reason):
    parse(network, plan)
    change(plan)
    assert reason in message(network, plan)


DAMAGED = {
    "empty": (b"", "it is not JSON: line 1, column 1"),
    "truncated": (b'{"format": "mbconv plan",\n "version"', "it is not JSON: line 2, column"),
    "not UTF-8": (b'{"\xff": 1}', "it is no text (byte 2 is not UTF-8)"),
    "a model": (b"TFL3\x00\x00", "it is not JSON"),
    "a list": (b"[]", "the plan must be an object with format, version, model, target, stages, lanes, not []"),
    "deep": (b"[" * 100_000, "it cannot be read as JSON"),
    "not a number": (b'{"version": NaN}', "NaN is no number of a plan"),
    "long number": (b'{"version": ' + b"9" * 10_000 + b"}", "it cannot be read as JSON"),
    "key twice": (b'{"version": 1, "version": 1}', "'version' is given twice in one object"),
}


@pytest.mark.parametrize(("content", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_files(network, content, reason):
    assert reason in message(network, content)


def test_every_truncation_is_one_message(network, plan):
    content = json.dumps(plan).encode()
    for length in range(0, len(content), 7):
        assert message(network, content[:length])


def test_the_file_is_named(tmp_path, network):
    path = tmp_path / "mine.json"
    path.write_text("{}")
    with pytest.raises(GraphError, match=r"mine\.json: the plan lacks format"):
        read_plan(path, network)
    with pytest.raises(FileNotFoundError):
        read_plan(tmp_path / "none.json", network)


def test_a_board_is_asked_for(network, plan):
    plan["target"] = {"board": "ulx3s-85f"}
    with pytest.raises(GraphError, match="the board 'ulx3s-85f' is not known here"):
        parse_plan(json.dumps(plan).encode(), network)
