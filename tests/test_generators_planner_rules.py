"""A circuit can be constructed exactly where the rules of the planner allow its folding."""

from itertools import product
from math import lcm

import numpy as np
import pytest
from amaranth.hdl import signed
from circuits import random_requantization
from plan_enumeration import choices
from small_networks import GraphBuilder

from mbconv.generators.planning.folding import Folding
from mbconv.generators.stages.convolution import convolution_taps
from mbconv.generators.stages.network import build_network
from mbconv.hdl.depthwise import DepthwiseParameters
from mbconv.hdl.pointwise import PointwiseParameters
from mbconv.hdl.window_geometry import WindowGeometry


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
