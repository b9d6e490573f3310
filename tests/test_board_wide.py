"""A board whose network takes several bytes a cycle and gives maps: gathered beats, a queue for a whole frame."""

import numpy as np
import pytest

from mbconv.board import Board
from mbconv.generators.emission.design import make_design
from mbconv.models import load
from mbconv.sim.board.simulated_board import SimulatedBoard, simulated_rate
from mbconv.sim.golden import model as golden

CLOCK = 10e6


@pytest.fixture(scope="module")
def design():
    return make_design(load("block:pointwise,height=3,width=3,channels=3,output_channels=3"), 9)


def test_wide_and_buffered(design):
    graph = design.graph
    with SimulatedBoard(design, CLOCK, simulated_rate(design, CLOCK)) as simulated:
        assert simulated.top.buffered
        identity = simulated.top.identity
        assert identity.source.data_bytes > 1 and identity.result.data_bytes > 1
        assert identity.source.frame_bytes % identity.source.data_bytes
        assert identity.result.frame_bytes % identity.result.data_bytes
        with Board(simulated.port, graph, patience=0.5) as board:
            tensor = graph.tensors[graph.inputs[0]]
            for seed in range(3):
                values = np.random.default_rng(seed).integers(-128, 128, tensor.shape).astype(np.int8)
                wanted = golden.run(graph, {tensor.index: values})
                found = board.outputs(values)
                assert all((found[index] == wanted[index]).all() for index in graph.outputs)
                board.disturb()
            for frames in (1, 2, 9):
                found = board.measure(frames, seed=99)
                assert found.exact and found.as_predicted
