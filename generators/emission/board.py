"""A design behind a board's UART: its identity, the rate of its link, and its Verilog."""

from __future__ import annotations

import hashlib
import json

from amaranth.lib.wiring import In

from mbconv.hdl.cost import Cost, cost
from mbconv.hdl.link.baud import STANDARD_RATES, BitLength, fastest_rate
from mbconv.hdl.link.board_top import BoardTop
from mbconv.hdl.link.identity import HASH_BYTES, Identity, PortShape
from mbconv.hdl.verilog import to_verilog

from ..graph.graph import Graph, GraphError
from ..planning.targets import Target
from ..readers.model_source import ModelSource, fingerprint
from .bundle import Bundle, bundle_of
from .design import Design
from .design_verilog import primitives_name, top_name, with_prefix
from .manifest import manifest

_ANY_CLOCK = 50e6  # what a link takes hardly depends on it


def model_hash(graph: Graph) -> bytes:
    """The identity's hash of what a network computes: weights, shapes and quantisation, but no names."""
    return bytes.fromhex(fingerprint(graph).removeprefix("sha256:"))[:HASH_BYTES]


def plan_hash(design: Design) -> bytes:
    """The identity's hash of how a network is built: foldings and lanes."""
    plan = design.plan
    foldings = [[index, *folding.fields().values()] for index, folding in sorted(plan.foldings.items())]
    text = json.dumps([foldings, sorted(plan.lanes.items())])
    return hashlib.sha256(text.encode()).digest()[:HASH_BYTES]


def slowest_byte(design: Design) -> float:
    """Cycles from byte to byte at which a frame takes as long as the network needs for it."""
    return design.schedule.interval / _port(design, *_only(design, "input")).frame_bytes


def link_rate(design: Design, clock: float) -> int:
    """The highest standard rate up to 1,000,000 baud at which the network takes bytes as fast as they come, or the
    least one if none is slow enough."""
    return fastest_rate(clock, slowest_byte(design)) or STANDARD_RATES[0]


def needs_buffer(design: Design, bit: BitLength) -> bool:
    """Whether a frame may not pass to the network as it comes.

    It may if bytes come no faster than one each interval ÷ frame bytes cycles: the queues were sized for a source of
    that pace, and a slower one only moves every event in proportion. And if nothing leaves before the frame's end, as
    where the result is a single pixel: the answer begins when the whole request has been found right.
    """
    port, _ = _only(design, "output")
    return not (bit.byte_cycles >= slowest_byte(design) and design.outputs[port].pixels == 1)


def identity(design: Design, bit: BitLength, simulated: bool = False) -> Identity:
    """What the board says of itself."""
    try:
        return Identity(
            design.name,
            model_hash(design.graph),
            plan_hash(design),
            round(bit.clock),
            round(bit.baud),
            design.schedule.interval,
            design.schedule.latency,
            design.multipliers,
            _port(design, *_only(design, "input")),
            _port(design, *_only(design, "output")),
            simulated,
        )
    except ValueError as error:
        raise GraphError(str(error)) from None


def board_top(
    design: Design, clock: float, baud: float | None = None, *, measures: bool = True, simulated: bool = False
) -> BoardTop:
    """The top of a board with this design.

    Args:
        clock: Hz, of the port ``clk``: what the oscillator or PLL makes.
        baud: of the UART; :func:`link_rate` unless given.
        measures: see :class:`~mbconv.hdl.link.board_top.BoardTop`.
        simulated: what the identity says.

    Raises:
        GraphError: several inputs or outputs, a rate that the clock cannot make, a design too large for an identity.
    """
    try:
        bit = BitLength(clock, link_rate(design, clock) if baud is None else baud)
    except ValueError as error:
        raise GraphError(str(error)) from None
    described = identity(design, bit, simulated)
    return BoardTop(
        design.top(), described, bit, buffered=needs_buffer(design, bit), measures=measures, family=design.family
    )


def linked_cost(design: Design) -> Cost:
    """The cost of a design on a board: with its AXI4-Stream edges and, where it has one input and one output, the
    board's link."""
    try:
        top = board_top(design, _ANY_CLOCK)
    except GraphError:
        return cost(design.top())
    return cost(top.core) + top.link_cost


def board_bundle(
    design: Design,
    top: BoardTop,
    prefix: str = "",
    source: ModelSource | None = None,
    target: Target | None = None,
) -> Bundle:
    """A board's top, emitted: module ``<model>_board`` with the ports ``clk``, ``rst``, ``rx``, ``tx`` and ``active``.

    Args:
        top: of this design, by :func:`board_top`.
        prefix, source, target: as in :func:`.bundle.make_bundle`.
    """
    made = with_prefix(to_verilog(top, f"{top_name(design, prefix)}_board", prefix), prefix)
    described = manifest(design, prefix, source, target)
    described |= {
        "top": made.top,
        "verilog": [f"{made.top}.v", primitives_name(prefix)],
        "clock": "clk",
        "reset": "rst (synchronous, active high)",
        "ports": [
            {"name": name, "direction": "input" if member.flow == In else "output"}
            for name, member in top.signature.members.items()
        ],
        "link": {
            "protocol": top.identity.version,
            "clock_hz": top.identity.clock,
            "baud": top.identity.baud,
            "baud_error": top.bit.error,
            "model": top.identity.model.hex(),
            "plan": top.identity.plan.hex(),
            "buffered": top.buffered,
        },
    }
    return bundle_of(made, described, prefix)


def _only(design: Design, direction: str) -> tuple[str, int]:
    """The core's port and the tensor of a design's only input or output."""
    ports = design.inputs if direction == "input" else design.outputs
    if len(ports) != 1:
        raise GraphError(
            f"a board's link carries one input and one output; {design.name} has {len(ports)} {direction}s"
        )
    (port,) = ports
    return port, design.network.inputs[int(port[1:])] if direction == "input" else int(port[1:])


def _port(design: Design, port: str, tensor: int) -> PortShape:
    edge = (design.inputs | design.outputs)[port]
    shape, element = design.network.shapes[tensor], design.network.tensor(tensor).element
    return PortShape(element.bits, element.signed, edge.data_bytes, shape.height, shape.width, shape.channels)
