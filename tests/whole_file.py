"""A file of one network, checked whole: golden model beside LiteRT, circuit beside golden model, cycles as planned."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mbconv.frames import random_frames
from mbconv.generators.emission.design import make_design
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import model as golden
from mbconv.sim.golden import oracle
from mbconv.sim.simulation.simulate import simulate


def check_file(path: Path, multipliers: int) -> None:
    """Every tensor equals the reference kernels', the circuit's equal those, interval and latency those predicted."""
    graph = read_tflite(path)
    design = make_design(graph, multipliers=multipliers)
    frames = random_frames(graph, design.schedule.frames, 5)
    reference = oracle.Reference(path).run(frames[0])
    for tensor, values in golden.run(graph, frames[0]).items():
        np.testing.assert_array_equal(values, reference[tensor].reshape(values.shape), err_msg=f"tensor {tensor}")
    result = simulate(design, frames)
    assert result.mismatches == 0, result.first_mismatch
    assert result.interval_cycles == design.schedule.interval == design.plan.interval
    assert result.latency_cycles == design.schedule.latency
