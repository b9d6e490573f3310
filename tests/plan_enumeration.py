"""Every plan of a small network, by the rules as the architecture states them, apart from the planner's code."""

from itertools import product
from math import inf, lcm

import numpy as np
from small_networks import GraphBuilder

from mbconv.generators.planning.folding import Folding
from mbconv.generators.planning.lane_groups import LaneGroups, fitting_lanes
from mbconv.generators.planning.plan import Plan
from mbconv.generators.planning.plan_cycles import interval_of, stage_cycles
from mbconv.generators.stages.convolution import convolution_taps
from mbconv.generators.stages.network import Network, Node


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
