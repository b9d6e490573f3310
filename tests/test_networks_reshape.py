"""Networks whose tensors change their shape, simulated: every stream equal to the golden model, the host's part too."""

import numpy as np
import pytest

from mbconv.frames import random_frames
from mbconv.generators.emission.design import make_design
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.planning.planner import plan_for_multipliers
from mbconv.generators.readers.block import parse_block
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.generators.stages.network import build_network
from mbconv.sim.golden import model as golden
from mbconv.sim.simulation.host import host_outputs
from mbconv.sim.simulation.simulate import simulate
from mbconv.training.tflite_writer import TfliteWriter

rng = np.random.default_rng(11)


def weights(*shape: int) -> np.ndarray:
    return rng.integers(-127, 128, shape)


def convolution(w: TfliteWriter, x: int, channels: int, size: int) -> int:
    depth = w.tensors[x].shape[3]
    scale = 1.2 / (size * depth**0.5 * 74)
    return w.convolution(x, weights(channels, size, size, depth), scale, weights(channels), 6 / 255, -128)


def reshaping(w: TfliteWriter) -> None:
    """A flat input as a map, another raster before a window, pixels as a batch, features as a map, a turned output."""
    x = w.input("features", (1, 72), 1 / 64, 3)
    x = convolution(w, w.reshape(x, (1, 6, 6, 2)), 3, 3)
    x = convolution(w, w.reshape(x, (1, 4, 9, 3)), 4, 3)
    pixels = w.fully_connected(w.reshape(x, (36, 4)), weights(3, 4), 0.01, weights(3), 0.05, 0)
    x = w.reshape(pixels, (1, 9, 4, 3))
    features = w.fully_connected(x, weights(8, 108), 0.002, weights(8), 0.05, 3)
    x = convolution(w, w.reshape(features, (1, 2, 2, 2)), 3, 3)
    w.output(w.transpose(x, (0, 3, 1, 2)))
    w.output(w.arg_max(w.reshape(x, (1, 12)), 1))
    w.output(w.softmax(features))


def test_reshapes(tmp_path):
    w = TfliteWriter("reshapes")
    reshaping(w)
    path = tmp_path / "reshapes.tflite"
    w.write(path)
    graph = read_tflite(path)
    design = make_design(graph, multipliers=8)
    frames = random_frames(graph, design.schedule.frames, 0)
    result = simulate(design, frames)
    assert result.mismatches == 0, result.first_mismatch
    assert result.interval_cycles == design.schedule.interval
    assert result.latency_cycles == design.schedule.latency
    for number, frame in enumerate(frames):
        expected = golden.run(graph, frame)
        outputs = {tensor: values[number] for tensor, values in result.outputs.items()}
        computed = host_outputs(design.graph, outputs, frame)
        for output in graph.outputs:
            np.testing.assert_array_equal(computed[output], expected[output])


def test_a_design_checks_its_graph_and_its_arguments():
    graph = parse_block("block:pointwise,height=2,width=2,channels=8")
    (op,) = graph.operators
    fewer = type(op)(**{**vars(op), "weights": op.weights[..., :5]})
    with pytest.raises(GraphError, match="weights for 5 input channels, but reads 8"):
        make_design(type(graph)(**{**fields(graph), "operators": (fewer,)}))
    plan = plan_for_multipliers(build_network(graph), 8)
    with pytest.raises(GraphError, match="a plan holds its own multipliers"):
        make_design(graph, multipliers=8, plan=plan)


def fields(graph) -> dict:
    return {name: getattr(graph, name) for name in ("name", "tensors", "inputs", "outputs")}
