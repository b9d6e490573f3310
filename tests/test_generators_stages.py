"""Stages of real networks: what a circuit says of itself, what its event model counts, and what the plan expects."""

import numpy as np
import pytest
from windowed import counted_times

from mbconv.generators.emission.design import make_design
from mbconv.generators.planning.planner import plan_for_multipliers
from mbconv.generators.stages.convolution import ConvolutionTiming
from mbconv.generators.stages.network import build_network
from mbconv.generators.stages.protocol import Site
from mbconv.generators.stages.windowed import WindowBlocksTiming
from mbconv.models import load

MODELS = [
    ("digits", 16),
    ("cifar10", 64),
    ("cifar10", 200),
    ("block:depthwise,height=9,width=8,channels=6,kernel=5,stride=2", 9),
    ("block:inverted_residual,height=7,width=9,channels=5,expansion=3,stride=1", 30),
]


def stages(model, multipliers):
    network = build_network(load(model))
    plan = plan_for_multipliers(network, multipliers)
    for node, circuit in network.folded:
        yield network, node, plan, circuit.build(Site(network, node, plan))


@pytest.mark.parametrize(("model", "multipliers"), MODELS)
def test_latency_is_what_the_event_model_counts(model, multipliers):
    for network, node, plan, stage in stages(model, multipliers):
        beats = network.shapes[node.inputs[0]].beats(plan.lanes[node.inputs[0]])
        if node.kind == "pointwise" and node.reduction != network.shapes[node.inputs[0]].channels:
            required = beats  # a map read as one vector
        elif isinstance(stage.timing, (WindowBlocksTiming, ConvolutionTiming)):
            required = int(stage.timing.window.required[0]) * stage.timing.window.packing.beats
        else:
            required = stage.timing.packing.beats
        # A long wait before the last beat that the first output pixel requires, so that nothing else delays it.
        offered = np.arange(beats, dtype=np.int64)
        offered[required - 1 :] += 100_000
        accepted, left = counted_times(stage.timing, offered, 1)
        assert left[0] - accepted[required - 1] == stage.component.latency, stage.name


@pytest.mark.parametrize(("model", "multipliers"), MODELS)
def test_circuits_agree_with_the_plan(model, multipliers):
    for network, node, plan, stage in stages(model, multipliers):
        circuit = stage.component
        assert circuit.multipliers == plan.foldings[node.operator.index].multipliers
        pixels = network.shapes[node.output].pixels
        if node.kind == "pointwise":
            own = pixels // circuit.parameters.pixels * circuit.cycles_per_group
        else:
            own = circuit.cycles_per_frame
        assert own == stage.cycles <= plan.interval
        words = len(stage.sources["weights"])
        period = sum(count * times for count, times in stage.repeats.get("weights", [(words, 1)]))
        assert period * pixels // plan.foldings[node.operator.index].pixels <= plan.interval


@pytest.mark.parametrize(("model", "multipliers"), MODELS[:2])
def test_designs_add_up(model, multipliers):
    design = make_design(load(model), multipliers=multipliers)
    core = design.core()
    assert core.multipliers == design.multipliers == sum(f.multipliers for f in design.plan.foldings.values())
    assert core.memory_bits == design.memory_bits
