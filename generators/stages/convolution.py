"""The circuit of a convolution with a window: the window's taps, streamed to a pointwise circuit over k²·C inputs.

With C channels in, Co out, L_in and L_out lanes: L_in divides C; taps × C that the window gives a cycle divide Pi, or
Pi divides them; Pi ≤ k²·C; L_out divides Po, Po < Co + L_out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from mbconv.hdl.convolution import Convolution, ConvolutionParameters

from ..planning.folding import Folding, ceil_div
from ..timing.event_graph import EventGraph
from ..timing.events import Events
from ..timing.ports import Ports
from ..timing.stage_timing import packing_of, window_of
from ..timing.window_timing import WindowTiming
from .folded import FoldedCircuit
from .pointwise import PointwiseTiming, pointwise_timing
from .protocol import Site, input_raster
from .windowed import WINDOW_REASON, window_arguments, window_capacity, window_taps

if TYPE_CHECKING:
    from .network import Network, Node


@dataclass(frozen=True)
class ConvolutionTiming:
    """Event model of :class:`mbconv.hdl.convolution.Convolution`: a window that streams its taps, narrowed, then a
    pointwise stage."""

    window: WindowTiming
    steps: int  # issues of an output pixel
    latency: int  # from an issue to the beat being valid
    queue_depth: int
    pieces: int  # beats that each of the window's is narrowed to; 1: wires
    pointwise: PointwiseTiming

    def events(self, graph: EventGraph, name: str, frames: int) -> Ports:
        accepted = self.window.packing.accept(graph, name, frames * self.window.pixels)
        count = frames * self.window.required.size * self.steps
        issued = graph.add(f"{name} reads its window", count)
        starts, ends = range(0, count, self.steps), range(self.steps - 1, count, self.steps)
        self.window.connect(accepted, issued, starts, ends, 1, frames)
        inner = self.pointwise.events(graph, name, frames)
        left = self._narrow(graph, name, issued, inner.accepted[0])
        issued.after(left, 1, lag=self.queue_depth)
        ring = self.window.ring(accepted, issued, self.steps, 1)
        return Ports([accepted], inner.valid, inner.hold, ring)

    def _narrow(self, graph: EventGraph, name: str, issued: Events, entered: Events) -> Events:
        """When the window's beats leave its queue, given when the pointwise stage takes what they become."""
        if self.pieces == 1:
            entered.after(issued, self.latency)
            return entered
        left = graph.add(f"{name} takes its window's taps", issued.count, self.pieces)
        left.after(issued, self.latency)
        lasts = range(self.pieces - 1, entered.count, self.pieces)
        left.after_some(entered, 0, range(1, issued.count), lasts[:-1])
        entered.after_some(left, 1, range(0, entered.count, self.pieces), range(issued.count))
        return left

    def bounded(self, capacity: int) -> Self:
        return replace(self, window=replace(self.window, capacity=capacity))


def convolution_timing(stage: ConvolutionParameters, capacity: int | None = None) -> ConvolutionTiming:
    """The event model of a convolution whose window holds ``capacity`` pixels; None: without limit."""
    packing = packing_of(stage.channels, stage.input_lanes, stage.channels)
    return ConvolutionTiming(
        window_of(stage.window, packing, capacity),
        stage.window.steps,
        stage.window_latency,
        stage.window_queue_depth,
        stage.pieces,
        pointwise_timing(stage.pointwise, stage.geometry.output_pixels),
    )


def fitting_taps(network: Network, node: Node, inputs: int) -> list[int]:
    """The taps a cycle with which a window can feed ``inputs`` multipliers: one of taps × C and ``inputs`` must divide
    the other."""
    channels = input_raster(network, node).channels
    return [t for t in window_taps(node) if inputs % (t * channels) == 0 or t * channels % inputs == 0]


def window_steps(network: Network, node: Node, inputs: int) -> int:
    """Cycles a pixel that the fastest window for ``inputs`` multipliers takes; 0 where there is none."""
    taps = fitting_taps(network, node, inputs)
    return ceil_div(node.kernel[0] * node.kernel[1], max(taps)) if taps else 0


def convolution_taps(network: Network, node: Node, inputs: int, budget: int) -> int | None:
    """The fewest taps a cycle with which a window feeds ``inputs`` multipliers within ``budget`` cycles a frame; None
    if no number does.

    There is one wherever ``inputs`` keeps the rules and ``budget`` is at least the circuit's cycles.
    """
    pixels = network.shapes[node.output].pixels
    kernel = node.kernel[0] * node.kernel[1]
    for taps in fitting_taps(network, node, inputs):
        if pixels * ceil_div(kernel, taps) <= budget:
            return taps
    return None


class ConvolutionCircuit(FoldedCircuit):
    """Ho·Wo·⌈k²·C/Pi⌉·⌈Co/Po⌉ cycles, or those of the window where it is slower."""

    KIND: ClassVar[str] = "convolution"
    FOR_INTERVAL: ClassVar[bool] = True
    component = Convolution
    REASON: ClassVar[str] = WINDOW_REASON

    def cycles(self, network: Network, node: Node, folding: Folding, lanes: Mapping[int, int]) -> int:
        shape = network.shapes[node.output]
        products = self.steps(node, folding) * ceil_div(shape.channels, folding.outputs)
        return shape.pixels * max(products, window_steps(network, node, folding.inputs))

    def allowed_inputs(self, network: Network, node: Node, lanes_in: int) -> Sequence[int]:
        if input_raster(network, node).channels % lanes_in:
            return []
        return [inputs for inputs in range(1, node.reduction + 1) if fitting_taps(network, node, inputs)]

    def useful_inputs(self, network: Network, node: Node, per_pixel: int, lanes_in: int) -> np.ndarray:
        allowed = self.allowed_inputs(network, node, lanes_in)
        return np.array([i for i in allowed if window_steps(network, node, i) <= per_pixel], np.int64)

    def input_rule(self, network: Network, node: Node, lanes_in: int) -> str:
        channels = input_raster(network, node).channels
        if channels % lanes_in:
            return (
                f"cannot be fed: the {lanes_in} lanes of tensor {node.inputs[0]} do not divide its {channels} channels"
            )
        given = ", ".join(str(taps * channels) for taps in window_taps(node))
        return (
            f"neither divides nor is a multiple of what the window gives a cycle ({given} elements), up to all of them"
        )

    def parameters(self, site: Site, common: dict[str, Any], capacity: int | None) -> ConvolutionParameters:
        taps = convolution_taps(site.network, site.node, site.folding.inputs, site.pace)
        return ConvolutionParameters(
            channels=site.input_shape.channels,
            outputs=site.output_shape.channels,
            input_folding=site.folding.inputs,
            output_folding=site.folding.outputs,
            **window_arguments(site, capacity, taps),
            **common,
        )

    def timing(self, site: Site, parameters: ConvolutionParameters) -> ConvolutionTiming:
        return convolution_timing(parameters)

    def capacity(self, parameters: ConvolutionParameters, pixels: int) -> int:
        return window_capacity(parameters.geometry, parameters.taps, pixels)


CIRCUIT = ConvolutionCircuit()
