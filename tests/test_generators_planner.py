"""The plan is the best that the rules of foldings and lanes allow, shown by enumerating all of them."""

from itertools import product
from math import inf, lcm

import numpy as np
import pytest
from amaranth.hdl import signed
from circuits import random_requantization
from small_networks import GraphBuilder

from mbconv.generators.graph.graph import Graph, GraphError
from mbconv.generators.planning.elimination import minimise
from mbconv.generators.planning.folding import Folding
from mbconv.generators.planning.lane_groups import LaneGroups, fitting_lanes
from mbconv.generators.planning.plan import Plan
from mbconv.generators.planning.plan_cycles import interval_of, stage_cycles
from mbconv.generators.planning.planner import plan_for_interval, plan_for_multipliers, slowest_interval
from mbconv.generators.stages.convolution import convolution_taps
from mbconv.generators.stages.network import Network, Node, build_network
from mbconv.hdl.depthwise import DepthwiseParameters
from mbconv.hdl.pointwise import PointwiseParameters
from mbconv.hdl.window_geometry import WindowGeometry
from mbconv.models import load


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def choices(network: Network, node: Node, lanes_in: int, lanes_out: int) -> list[tuple[Folding, int]]:
    """Every folding of a stage between streams of the given lanes and its cycles a frame, by the rules as the
    architecture states them, apart from the planner's code."""
    source, target = network.shapes[node.inputs[0]], network.shapes[node.output]
    kernel = node.kernel[0] * node.kernel[1]
    found = []
    unit = lcm(lanes_in, lanes_out)
    whole_beats = target.channels % lanes_out == 0
    for inputs, outputs in product(range(1, 2 * node.reduction), range(1, target.channels + unit)):
        steps, window = ceil_div(node.reduction, inputs), 0
        if node.kind == "pointwise":
            fits = (
                inputs % lanes_in == 0 and inputs < node.reduction + lanes_in and outputs < target.channels + lanes_out
            )
        elif node.kind == "depthwise":
            fits = inputs in (1, node.kernel[1], kernel) and outputs % lanes_in == 0
        else:
            given = {taps: taps * source.channels for taps in (1, node.kernel[1], kernel)}
            windows = [ceil_div(kernel, t) for t, g in given.items() if inputs % g == 0 or g % inputs == 0]
            fits = source.channels % lanes_in == 0 and inputs <= node.reduction and windows
            fits = fits and outputs < target.channels + lanes_out
            window = min(windows, default=0)
        if fits and outputs % lanes_out == 0 and outputs // lanes_out <= steps:
            each = max(window, ceil_div(target.channels, outputs) * steps)
            found.append((Folding(inputs, outputs), target.pixels * each))
            if node.kind != "pointwise" or outputs > target.channels or target.channels % outputs == 0:
                continue
            for pixels in range(2, 9):
                cycles = ceil_div(pixels * target.channels, outputs) * steps
                leaving = pixels * target.channels + (pixels - 1) * (outputs - lanes_out)
                if target.pixels % pixels == 0 and whole_beats and leaving <= cycles * lanes_out:
                    found.append((Folding(inputs, outputs, pixels), target.pixels // pixels * cycles))
    return found


def inverted_residual(g: GraphBuilder) -> int:
    x = g.input(3, 4, 4)
    return g.add(g.convolution(g.depthwise(g.convolution(x, 6)), 4), x)


def odd_channels(g: GraphBuilder) -> int:
    return g.convolution(g.depthwise(g.input(5, 4, 7), (5, 3), (2, 1)), 11)


def classifier(g: GraphBuilder) -> int:
    x = g.convolution(g.input(6, 6, 3), 5, (3, 3), (2, 2))
    return g.fully_connected(g.mean(g.convolution(g.depthwise(x), 8)), 3)


def fork(g: GraphBuilder) -> int:
    x = g.convolution(g.input(3, 3, 2), 6)
    return g.add(g.add(g.depthwise(x), g.rectify(x)), g.convolution(x, 6))


def whole_map(g: GraphBuilder) -> int:
    return g.fully_connected(g.convolution(g.input(2, 3, 5), 6), 4)


def one_channel(g: GraphBuilder) -> int:
    return g.convolution(g.depthwise(g.input(5, 5, 1), (3, 3), (2, 2), multiplier=6), 9)


def prime_channels(g: GraphBuilder) -> int:
    return g.convolution(g.convolution(g.convolution(g.input(1, 2, 4), 23), 11), 13)


def many_lanes(g: GraphBuilder) -> int:
    """The best plans here have far more lanes than the interval asks for."""
    return g.convolution(g.convolution(g.input(1, 1, 20), 18), 17)


NETWORKS = (inverted_residual, odd_channels, classifier, fork, whole_map, one_channel, prime_channels, many_lanes)


class Enumeration:
    """Every plan of a network: for each lanes of all streams the foldings of each stage."""

    def __init__(self, network: Network):
        self.network, self.groups = network, LaneGroups(network)
        unlimited = dict.fromkeys(network.shapes, 1 << 40)
        self.lanes = {root: fitting_lanes(network, m, unlimited) for root, m in self.groups.members.items()}
        self.stages = [node for node, _ in network.folded]
        self.choices: dict[tuple[str, int, int], tuple[np.ndarray, np.ndarray]] = {}

    def ends(self, node: Node) -> tuple[int, int]:
        return self.groups.find(node.inputs[0]), self.groups.find(node.output)

    def stage(self, node: Node, lanes_in: int, lanes_out: int) -> tuple[np.ndarray, np.ndarray]:
        """Cycles and multipliers of every folding."""
        key = (node.name, lanes_in, lanes_out)
        if key not in self.choices:
            found = choices(self.network, node, lanes_in, lanes_out)
            self.choices[key] = (
                np.array([count for _, count in found], np.int64),
                np.array([folding.multipliers for folding, _ in found], np.int64),
            )
        return self.choices[key]

    def intervals(self) -> np.ndarray:
        """Every cycle count that a stage or stream can have: no other interval makes a difference."""
        counts = [shape.beats(k) for shape in self.network.shapes.values() for k in range(1, shape.channels + 1)]
        for node in self.stages:
            left, right = self.ends(node)
            for lanes_in, lanes_out in product(self.lanes[left], self.lanes[right]):
                counts.extend(self.stage(node, int(lanes_in), int(lanes_out))[0])
        return np.unique(counts)

    def fewest(self, interval: int) -> float:
        """The fewest multipliers of any plan within an interval."""
        network = self.network
        beats = dict.fromkeys(network.shapes, interval)
        options = {root: fitting_lanes(network, m, beats) for root, m in self.groups.members.items()}
        roots = list(options)
        tables = []
        for node in self.stages:
            left, right = self.ends(node)
            table = {}
            for lanes in product(options[left], options[right]):
                counts, multipliers = self.stage(node, *map(int, lanes))
                table[lanes] = min(multipliers[counts <= interval], default=inf)
            tables.append((roots.index(left), roots.index(right), table))
        return min(
            (sum(table[lanes[i], lanes[j]] for i, j, table in tables) for lanes in product(*options.values())),
            default=inf,
        )


def sample(values, count: int) -> list[int]:
    """The first and last of some values, and some between."""
    values = list(map(int, values))
    if len(values) <= count:
        return values
    between = np.random.default_rng(len(values)).choice(len(values), count, replace=False)
    return [values[i] for i in sorted({0, len(values) - 1, *between})]


def check(network: Network, plan: Plan) -> None:
    """The plan keeps every rule, and its interval is that of its slowest part."""
    for node in network.nodes:
        if node.circuit.FOLDED:
            folding, lanes = plan.foldings[node.operator.index], (plan.lanes[node.inputs[0]], plan.lanes[node.output])
            assert dict(choices(network, node, *lanes))[folding] == stage_cycles(network, node, plan) <= plan.interval
            assert node.circuit.folding_problem(network, node, folding, *lanes) is None
            if node.kind == "convolution":
                assert convolution_taps(network, node, folding.inputs, plan.interval)
        else:
            assert {plan.lanes[tensor] for tensor in node.inputs} == {plan.lanes[node.output]}
    for tensor, shape in network.shapes.items():
        assert 1 <= plan.lanes[tensor] <= shape.channels and shape.beats(plan.lanes[tensor]) <= plan.interval
        assert not any(channels % plan.lanes[tensor] for channels in network.views.get(tensor, ()))
    assert plan.interval == interval_of(network, plan.foldings, plan.lanes)


@pytest.fixture(params=NETWORKS, ids=lambda make: make.__name__, scope="module")
def enumeration(request) -> Enumeration:
    builder = GraphBuilder()
    return Enumeration(build_network(builder.graph(request.param(builder))))


def test_fewest_multipliers_for_an_interval(enumeration):
    network = enumeration.network
    for interval in sample(enumeration.intervals(), 40):
        plan, fewest = plan_for_interval(network, interval), enumeration.fewest(interval)
        assert (inf if plan is None else plan.multipliers) == fewest, interval
        if plan is not None:
            assert plan.interval <= interval and plan.budget is None
            check(network, plan)


def test_least_interval_for_multipliers(enumeration):
    network = enumeration.network
    intervals = enumeration.intervals()
    stages = len(enumeration.stages)
    for budget in (stages, stages + 1, 2 * stages + 1, 4 * stages, 10 * stages):
        plan = plan_for_multipliers(network, budget)
        assert plan.multipliers <= plan.budget == budget
        check(network, plan)
        # No interval below it is possible: what is needed does not grow with the interval, so the next shorter tells.
        assert enumeration.fewest(plan.interval) == plan.multipliers
        shorter = intervals[intervals < plan.interval]
        assert not shorter.size or enumeration.fewest(int(shorter[-1])) > budget


def test_every_plan_at_once():
    """Foldings of both stages and lanes of all three streams as one product: nothing is taken for separable."""
    builder = GraphBuilder()
    x = builder.input(2, 1, 3)
    y = builder.convolution(x, 4)
    z = builder.depthwise(y, (1, 3))
    network = build_network(builder.graph(z))
    first, second = network.nodes
    fewest: dict[int, int] = {}
    for lanes in product(range(1, 4), range(1, 5), range(1, 5)):
        beats = max(network.shapes[tensor].beats(count) for tensor, count in zip((x, y, z), lanes, strict=True))
        pairs = product(choices(network, first, *lanes[:2]), choices(network, second, *lanes[1:]))
        for (one, cycles_one), (other, cycles_other) in pairs:
            interval = max(cycles_one, cycles_other, beats)
            fewest[interval] = min(fewest.get(interval, 1 << 30), one.multipliers + other.multipliers)
    slowest = slowest_interval(network)
    assert slowest == max(fewest)
    for interval in range(1, slowest + 1):
        best = min((m for cycles, m in fewest.items() if cycles <= interval), default=None)
        plan = plan_for_interval(network, interval)
        assert (None if plan is None else plan.multipliers) == best
    for budget in range(2, 40):
        assert plan_for_multipliers(network, budget).interval == min(c for c, m in fewest.items() if m <= budget)


def test_fewer_multipliers_than_stages():
    network = build_network(load("digits"))
    with pytest.raises(GraphError, match="7 multipliers are too few for this network: it needs at least 8, one for"):
        plan_for_multipliers(network, 7)
    with pytest.raises(GraphError, match="at least one multiplier is needed, not 0"):
        plan_for_multipliers(network, 0)
    plan = plan_for_multipliers(network, 8)
    assert plan.multipliers == 8 and plan.interval == slowest_interval(network)


def test_a_network_without_multipliers():
    builder = GraphBuilder()
    x = builder.input(3, 3, 6)
    network = build_network(builder.graph(builder.mean(builder.add(x, builder.input(3, 3, 6)))))
    plan = plan_for_multipliers(network, 1)
    assert (plan.interval, plan.multipliers, plan.foldings) == (9, 0, {})
    check(network, plan)


def efficiency(graph: Graph, budget: int) -> tuple[int, float]:
    network = build_network(graph)
    plan = plan_for_multipliers(network, budget)
    assert plan.multipliers <= budget
    check(network, plan)
    return plan.interval, graph.total_macs / (budget * plan.interval)


@pytest.mark.parametrize(("model", "budget"), [("digits", 16), ("cifar10", 64)])
def test_built_in_models(model, budget):
    assert efficiency(load(model), budget)[1] >= 0.80


@pytest.mark.shared
@pytest.mark.parametrize(
    ("model", "budget", "interval", "least"),
    [
        ("vww_96_int8", 156, 53_760, 0.893),
        ("vww_96_int8", 320, 24_576, 0.952),
        ("person_detect_qdimfix", 128, 59_904, 0.933),
        ("mobilenet_v1_0.25_128_quant", 128, 116_736, 0.908),
        ("mobilenetv2_160_035_cfu", 256, 129_600, 0.892),
        ("tf2_mobilenet_v2_1.0_224_ptq", 2048, 150_528, 0.97),
        ("mnv3small_224_keras_randomweights_int8", 512, 118_080, 0.934),
        ("ppocr_cls_mnv3s035_int8", 256, 73_728, 0.864),
        ("ssdlite_mnv2_ped_int8", 1024, 640_000, 0.941),
    ],
)
def test_targets(shared, model, budget, interval, least):
    graph = load(str(shared / "models" / f"{model}.tflite"))
    found, reached = efficiency(graph, budget)
    assert found == interval
    assert reached >= least


def test_rules_are_those_of_the_pointwise_circuit():
    """The circuit can be constructed exactly where the rules allow the folding."""
    builder = GraphBuilder()
    network = build_network(builder.graph(builder.convolution(builder.input(2, 2, 5), 6)))
    (node,) = network.nodes
    format, _ = random_requantization(np.random.default_rng(1), np.ones((6, 5), np.int64), signed(8))
    foldings = [Folding(*which) for which in product(range(1, 8), range(1, 9), (1, 2, 3, 4))]
    for folding, lanes_in, lanes_out in product(foldings, (1, 2, 3, 5), (1, 2, 4, 6)):
        inputs, outputs, pixels = folding.inputs, folding.outputs, folding.pixels
        allowed = node.circuit.folding_problem(network, node, folding, lanes_in, lanes_out) is None
        assert allowed == (folding in dict(choices(network, node, lanes_in, lanes_out)))
        if pixels == 3:
            assert not allowed  # of four pixels
            continue
        try:
            PointwiseParameters(
                inputs=5,
                outputs=6,
                input_folding=inputs,
                output_folding=outputs,
                pixels=pixels,
                data_shape=signed(8),
                weight_shape=signed(8),
                format=format,
                input_lanes=lanes_in,
                lanes=lanes_out,
            )
        except ValueError:
            assert not allowed, (folding, lanes_in, lanes_out)
        else:
            assert allowed, (folding, lanes_in, lanes_out)


@pytest.mark.parametrize("multiplier", [1, 3])
def test_rules_are_those_of_the_depthwise_circuit(multiplier):
    """The circuit can be constructed where the rules allow the folding, and nowhere else up to the last useful P."""
    builder = GraphBuilder()
    network = build_network(builder.graph(builder.depthwise(builder.input(6, 5, 4), (5, 3), (1, 1), multiplier)))
    (node,) = network.nodes
    geometry = WindowGeometry(6, 5, (5, 3), (1, 1), (2, 2, 1, 1))
    format, _ = random_requantization(np.random.default_rng(1), np.ones((4, 15), np.int64), signed(8))
    for lanes_in, lanes_out, taps in product((1, 2, 3), (1, 2, 4), (1, 2, 3, 5, 15)):
        unit = lcm(lanes_in, lanes_out) if multiplier == 1 else lanes_out
        for outputs in range(1, 4 * multiplier + unit):
            allowed = node.circuit.folding_problem(network, node, Folding(taps, outputs), lanes_in, lanes_out) is None
            try:
                DepthwiseParameters(
                    geometry,
                    channels=4,
                    multiplier=multiplier,
                    channel_folding=outputs,
                    taps=taps,
                    data_shape=signed(8),
                    weight_shape=signed(8),
                    format=format,
                    input_lanes=lanes_in,
                    lanes=lanes_out,
                )
            except ValueError:
                assert not allowed, (taps, outputs, lanes_in, lanes_out)
            else:
                assert allowed, (taps, outputs, lanes_in, lanes_out)


def test_a_window_slower_than_the_multipliers_counts():
    """Six inputs a cycle are two taps of three channels, which only a window of one tap a cycle can feed."""
    builder = GraphBuilder()
    network = build_network(builder.graph(builder.convolution(builder.input(4, 4, 3), 2, (3, 3))))
    (node,) = network.nodes
    assert node.circuit.cycles(network, node, Folding(6, 2), {}) == 16 * 9
    assert convolution_taps(network, node, 6, 16 * 9) == 1
    assert convolution_taps(network, node, 6, 16 * 9 - 1) is None
    assert node.circuit.cycles(network, node, Folding(9, 2), {}) == 16 * 3
    assert convolution_taps(network, node, 9, 16 * 3) == 3


def test_elimination_is_exact_on_cycles():
    rng = np.random.default_rng(5)
    for _ in range(50):
        sizes = dict(enumerate(rng.integers(1, 5, 5).tolist()))
        scopes = [tuple(rng.permutation(5)[: rng.integers(1, 4)].tolist()) for _ in range(7)] + [(v,) for v in sizes]
        factors = [(scope, rng.integers(0, 50, [sizes[v] for v in scope]).astype(float)) for scope in scopes]

        def total(values, factors=factors):
            return sum(table[tuple(values[v] for v in scope)] for scope, table in factors)

        best = min(total(values) for values in product(*(range(size) for size in sizes.values())))
        picked = minimise(factors, sizes)
        assert total(picked) == best
    assert minimise([((0,), np.array([inf, inf]))], {0: 2}) is None
