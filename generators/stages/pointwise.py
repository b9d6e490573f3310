"""The pointwise circuit: 1×1 convolutions and fully connected operators.

With Ci inputs, Co outputs, L_in and L_out lanes: L_in divides Pi, Pi < Ci + L_in; L_out divides Po, Po < Co + L_out.
Q > 1 pixels share groups of outputs where Q divides the pixels of a frame, Po < Co leaves a rest of Co, and L_out
divides that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mbconv.hdl.pointwise import Pointwise, PointwiseParameters

from ..planning.folding import Folding, ceil_div, round_up
from ..timing.blocks import Blocks
from ..timing.event_graph import EventGraph
from ..timing.events import Events
from ..timing.ports import Ports
from ..timing.stage_timing import blocks_of, packing_of
from ..timing.window_timing import Packing
from .folded import FoldedCircuit
from .protocol import Site

if TYPE_CHECKING:
    from .network import Network, Node

MOST_PIXELS = 8
"""Pixels that share groups of outputs, at most: each has a memory of its own in the circuit."""


@dataclass(frozen=True)
class PointwiseTiming:
    """Event model of :class:`mbconv.hdl.pointwise.Pointwise`; of several pixels taken together they are one here.

    Attributes:
        rests: the order in which beats leave, where they share groups of outputs.
    """

    packing: Packing
    blocks: Blocks
    slots: int
    available_delay: int
    release_delay: int
    pixels: int  # of a frame
    rests: RestTiming | None = None

    def events(self, graph: EventGraph, name: str, frames: int) -> Ports:
        pixels = frames * self.pixels
        accepted = self.packing.accept(graph, name, pixels)
        issued = self.blocks.issue(graph, name, pixels)
        first, last = self.blocks.first_blocks(pixels), self.blocks.last_blocks(pixels)
        beats = range(self.packing.beats - 1, accepted.count, self.packing.beats)
        issued.after_some(accepted, self.packing.delay + self.available_delay, first, beats)
        release = self.blocks.steps - 1 + self.release_delay
        freeing = last[: max(pixels - self.slots, 0)]
        self.packing.wait(accepted, range(self.slots, pixels), issued, freeing, release)
        issued.after_some(issued, release + self.available_delay, first[self.slots :], freeing)
        valid = self.blocks.outputs(graph, name, issued)
        if self.rests is None:
            return Ports([accepted], valid, lambda taken: self.blocks.hold(issued, taken))
        given, passed, leave = self.rests.events(graph, name, valid)

        def hold(taken: Events) -> None:
            leave(taken)
            self.blocks.hold(issued, passed)

        return Ports([accepted], given, hold)


@dataclass(frozen=True)
class RestTiming:
    """Event model of :class:`mbconv.hdl.rest_queue.RestQueue`."""

    rest: int
    own: int
    pixels: int
    latency: int

    def events(self, graph: EventGraph, name: str, valid: Events) -> tuple[Events, Events, Callable[[Events], None]]:
        """When beats are valid in the order of pixels, when each of ``valid`` is taken, and how these are made to wait
        for the departure of those."""
        rests, period = self.pixels * self.rest, self.pixels * (self.rest + self.own)
        place = np.arange(valid.count) % period
        came = np.arange(valid.count)
        first, others = came[place < rests], came[place >= rests]
        of_pixel = np.arange(valid.count) % (self.rest + self.own) < self.rest
        passed = graph.add(f"{name} takes a beat of outputs", valid.count)
        passed.after(valid)
        given = graph.add(f"{name} has a beat in the order of pixels", valid.count)
        leaving_first, leaving_others = came[of_pixel], came[~of_pixel]
        given.after_some(passed, self.latency, leaving_first, first)
        given.after_some(valid, 0, leaving_others, others)
        given.after_some(passed, 1, leaving_others, others - 1)
        passed.after_some(given, 0, others, leaving_others)
        return given, passed, lambda taken: passed.after_some(taken, 0, others, leaving_others)


def pointwise_timing(stage: PointwiseParameters, pixels: int) -> PointwiseTiming:
    """The event model of a pointwise circuit, for frames of so many pixels."""
    together = stage.pixels
    packing, blocks = packing_of(stage.inputs, stage.input_lanes, stage.input_folding), blocks_of(stage.mac)
    rests = None
    if stage.rest:
        per_word = min(packing.per_word, packing.beats)
        packing = replace(packing, beats=together * packing.beats, per_word=per_word)
        blocks = replace(blocks, short=stage.rest_blocks - 1)
        rests = RestTiming(stage.rest_beats, stage.own_blocks * stage.mac.beats, together, stage.rest_latency)
    return PointwiseTiming(
        packing, blocks, stage.slots, stage.available_delay, stage.release_delay, pixels // together, rests
    )


class PointwiseCircuit(FoldedCircuit):
    """A matrix by the vector of each pixel, or by one vector of all pixels: H·W÷Q·⌈Ci/Pi⌉·⌈Q·Co/Po⌉ cycles."""

    KIND: ClassVar[str] = "pointwise"
    component = Pointwise

    def cycles(self, network: Network, node: Node, folding: Folding, lanes: Mapping[int, int]) -> int:
        shape = network.shapes[node.output]
        groups = ceil_div(folding.pixels * shape.channels, folding.outputs)
        return shape.pixels // folding.pixels * self.steps(node, folding) * groups

    def allowed_pixels(self, network: Network, node: Node) -> Sequence[int]:
        pixels = network.shapes[node.output].pixels
        return [together for together in range(1, MOST_PIXELS + 1) if pixels % together == 0]

    def allowed_inputs(self, network: Network, node: Node, lanes_in: int) -> Sequence[int]:
        return range(lanes_in, node.reduction + lanes_in, lanes_in)

    def useful_inputs(self, network: Network, node: Node, per_pixel: int, lanes_in: int) -> np.ndarray:
        steps = np.arange(1, min(node.reduction, per_pixel) + 1)
        return np.unique(round_up(np.unique(ceil_div(node.reduction, steps)), lanes_in))

    def input_rule(self, network: Network, node: Node, lanes_in: int) -> str:
        return f"is no multiple of the {lanes_in} lanes of tensor {node.inputs[0]} that suits {node.reduction} channels"

    def parameters(self, site: Site, common: dict[str, Any], capacity: None) -> PointwiseParameters:
        return PointwiseParameters(
            inputs=site.node.reduction,
            outputs=site.output_shape.channels,
            input_folding=site.folding.inputs,
            output_folding=site.folding.outputs,
            pixels=site.folding.pixels,
            **common,
        )

    def repeats(self, site: Site, parameters: PointwiseParameters) -> dict[str, Sequence[tuple[int, int]]]:
        p = parameters
        if not p.rest:
            return {}
        own = (p.own_blocks * p.words, p.pixels)
        return {
            "weights": ((p.rest_blocks * p.words, 1), own),
            "requantization": ((p.rest_beats, p.pixels), (p.own_blocks * p.mac.beats, p.pixels)),
        }

    def timing(self, site: Site, parameters: PointwiseParameters) -> PointwiseTiming:
        return pointwise_timing(parameters, site.output_shape.pixels)


CIRCUIT = PointwiseCircuit()
