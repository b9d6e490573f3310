"""Stages of one operator as cases of the test bench: equal to the golden model, cycles as the event model has them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

import numpy as np
from amaranth.hdl import Shape
from elements import random_elements

from mbconv.generators.graph.graph import INT8, Element, Graph, Operator, Tensor
from mbconv.generators.planning.lane_groups import LaneGroups
from mbconv.generators.planning.plan import Plan
from mbconv.generators.planning.plan_cycles import interval_of
from mbconv.generators.stages.network import build_network
from mbconv.generators.stages.protocol import Site
from mbconv.generators.stages.stage import Stage
from mbconv.generators.timing.event_graph import EventGraph
from mbconv.hdl.family import GENERIC, Family
from mbconv.sim.circuits.testbench import Case, Expected, tensor_beats
from mbconv.sim.golden import model as golden

Quantised = tuple[Element, float, int]
"""An element with its scale and zero point."""

BYTES = INT8, 0.0235294122248888, -7


_indices = count()  # an operator's index names its memories, which differ from case to case


def operator_graph(
    make: Callable[..., Operator], shapes: Sequence[tuple[int, ...]], numbers: Sequence[Quantised]
) -> Graph:
    """A graph of one operator that reads tensors 0 … and writes the last one, which others of its network read."""
    tensors = {
        index: Tensor(index, f"t{index}", shape, element, float(np.float32(scale)), zero)
        for index, (shape, (element, scale, zero)) in enumerate(zip(shapes, numbers, strict=True))
    }
    inputs = tuple(range(len(shapes) - 1))
    op = make(next(_indices), inputs, (len(shapes) - 1,))
    output = len(shapes) - 1
    return Graph("operator", tensors, (op,), inputs, (output,), frozenset((output,)))


def stage_of(graph: Graph, lanes: int, interval: int | None = None, family: Family = GENERIC) -> Stage:
    """The stage of a graph's one operator, with as many lanes in every stream that can have them.

    Args:
        interval: the plan's; by default the least that it keeps.
    """
    network = build_network(graph)
    groups = LaneGroups(network).members.values()
    counts = {t: min(lanes, *(network.shapes[m].channels for m in group)) for group in groups for t in group}
    plan = Plan({}, counts, interval_of(network, {}, counts) if interval is None else interval, None)
    return network.nodes[0].circuit.build(Site(network, network.nodes[0], plan, family))


def counted(stage: Stage, frames: int) -> tuple[int, int]:
    """Interval, between the last two of several frames, and latency, as the test bench measures them."""
    graph = EventGraph()
    ports = stage.timing.events(graph, "the stage", frames)
    for accepted in ports.accepted:
        accepted.after(graph.add("a beat is offered", accepted.count, None, np.arange(accepted.count, dtype=np.int64)))
    left = graph.add("a beat leaves", ports.valid.count)
    left.after(ports.valid)
    ports.hold(left)
    graph.settle()
    ends = left.times.reshape(frames, -1)[:, -1]
    return int(ends[-1] - ends[-2]), int(ends[0] - min(accepted.times[0] for accepted in ports.accepted))


def stage_case(name: str, graph: Graph, lanes: int, frames: int = 3, **how) -> Case:
    """A stage with random inputs that fill the elements' range; a window holds what a pixel of its output waits for,
    and a few pixels more."""
    stage = stage_of(graph, lanes, **how)
    if stage.window is not None:
        capacity = stage.window.capacity(stage.component.parameters.window.capacity + 3)
        stage = replace(stage.with_capacity(capacity), timing=stage.timing.bounded(capacity))
    rng = np.random.default_rng([lanes, *graph.tensors[0].shape])
    output = graph.tensors[graph.outputs[0]]
    given = {
        index: random_elements(rng, Shape(tensor.element.bits, tensor.element.signed), (frames, *tensor.shape))
        for index, tensor in graph.tensors.items()
        if index in graph.inputs
    }
    expected = np.stack(
        [golden.run(graph, {t: x[frame] for t, x in given.items()})[output.index] for frame in range(frames)]
    )
    beats = {}
    for port, tensor in zip(stage.inputs, graph.inputs, strict=True):
        shape = Shape(graph.tensors[tensor].element.bits, graph.tensors[tensor].element.signed)
        beats[port], _ = tensor_beats(given[tensor], _lanes(stage, port), random_elements(rng, shape, (97,)))
    interval, latency = counted(stage, frames)
    outputs = {"o": Expected.tensor(expected, _lanes(stage, "o"))}
    return Case(name, stage.component, beats, outputs, frames, interval=interval, latency=latency)


def _lanes(stage: Stage, port: str) -> int:
    return stage.component.signature.members[port].signature.members["payload"].shape.length
