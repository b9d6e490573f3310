"""What circuits share that make an element of an element of each input, of which some may be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from mbconv.hdl.elementwise import Elementwise
from mbconv.hdl.operand import Broadcast, Operand

from ..timing.beat_timing import ElementwiseTiming
from .protocol import Site, StageCircuit
from .stage import Stage

if TYPE_CHECKING:
    from .network import Network, Node


def one_for_all_channels(network: Network, node: Node, position: int) -> bool:
    """Whether an input has one channel that all channels of the output take."""
    return node.rasters[position].channels == 1 < network.shapes[node.output].channels


class ElementwiseCircuit(StageCircuit):
    """A circuit that gives a beat for each beat of every input, those of shorter inputs repeated.

    Attributes:
        REPEATS: whether an input of one channel is repeated for all channels.
    """

    REPEATS: ClassVar[bool] = True

    def coupled(self, network: Network, node: Node) -> tuple[tuple[int, ...], ...]:
        """All but inputs of one channel for all, which have one lane."""
        if not self.REPEATS:
            return super().coupled(network, node)
        places = range(len(node.inputs))
        wide = [node.inputs[place] for place in places if not one_for_all_channels(network, node, place)]
        return ((*wide, node.output),)

    def cycles(self, network: Network, node: Node, folding: None, lanes: Mapping[int, int]) -> int:
        return network.shapes[node.output].beats(lanes[node.output])

    def operands(self, site: Site) -> list[Operand]:
        """The circuit's operands, repeated where the inputs are shorter than the output."""
        return [
            Operand(shape, site.lanes_out, self._broadcast(site, place), family=site.family)
            for place, shape in enumerate(site.shapes[:-1])
        ]

    @staticmethod
    def _broadcast(site: Site, place: int) -> Broadcast:
        output, raster = site.output_shape, site.node.rasters[place]
        channels = one_for_all_channels(site.network, site.node, place)
        beats = -(-output.channels // site.lanes_out)
        repeated = raster.height < output.height, raster.width < output.width, channels
        return Broadcast.over((output.height, output.width, beats), repeated, channels)

    def stage(self, site: Site, circuit: Elementwise, **fields) -> Stage:
        """The stage of a circuit whose ports are its operands', with its event model."""
        operands = circuit.operands.values()
        timing = ElementwiseTiming(
            circuit.latency,
            circuit.queue_depth,
            site.output_shape.beats(site.lanes_out),
            tuple(operand.broadcast.positions if operand.kept else None for operand in operands),
            circuit.interval,
        )
        return Stage(site.node, circuit, tuple(circuit.operands), timing, timing.beats * circuit.interval, **fields)
