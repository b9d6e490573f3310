"""What the host computes behind a circuit: of the circuit's outputs and of the network's inputs."""

import numpy as np
import pytest

from mbconv.board.network import LinkedNetwork
from mbconv.frames import random_frames
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.generators.stages.network import build_network
from mbconv.sim.golden import model as golden
from mbconv.sim.simulation.host import host_outputs
from mbconv.training.tflite_writer import TfliteWriter

rng = np.random.default_rng(5)

# How a map of 4 × 4 × 3 comes from the input that follows.
WAYS = {
    "as it is": ((1, 4, 4, 3), lambda w, x: x),
    "turned": ((1, 3, 4, 4), lambda w, x: w.transpose(x, (0, 2, 3, 1))),
    "renamed": ((1, 48), lambda w, x: w.reshape(x, (1, 4, 4, 3))),
}


@pytest.fixture(params=WAYS)
def graph(request, tmp_path):
    """A map weighed by what the network makes of it, from LOGISTIC on by the host."""
    shape, way = WAYS[request.param]
    w = TfliteWriter("weighed")
    x = way(w, w.input("x", shape, 0.02, 3))
    vector = w.mean(x, 0.01, -5, keep=True)
    vector = w.convolution(vector, rng.integers(-127, 128, (3, 1, 1, 3)), 0.01, rng.integers(-99, 99, 3), 0.03, 2)
    weight = w.unary("LOGISTIC", vector, 1 / 256, -128)
    w.output(w.arithmetic("MUL", x, weight, 0.01, 4))
    w.write(tmp_path / "weighed.tflite")
    return read_tflite(tmp_path / "weighed.tflite")


def test_the_host_reads_an_input(graph):
    network = build_network(graph)
    assert [op.kind for op in network.host] == ["LOGISTIC", "MUL"]
    (frame,), (circuit,) = random_frames(graph, 1, 4), network.outputs
    expected = golden.run(graph, frame)
    outputs = {circuit: expected[circuit]}
    (output,) = graph.outputs
    np.testing.assert_array_equal(host_outputs(graph, outputs, frame)[output], expected[output])
    assert output not in host_outputs(graph, outputs), "it needs the input"


def test_a_board_is_given_the_input(graph):
    """What a board answers is the circuit's output alone; the picture is the host's anyway."""
    ((index, values),) = random_frames(graph, 1, 4)[0].items()
    linked = LinkedNetwork(graph)
    expected, (circuit,), (output,) = golden.run(graph, {index: values}), linked.network.outputs, graph.outputs
    np.testing.assert_array_equal(linked.outputs(values, expected[circuit])[output], expected[output])
