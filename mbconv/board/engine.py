"""A network for a board's engine: what is uploaded, and what the board then says of itself."""

from __future__ import annotations

import zlib
from dataclasses import replace

from mbconv.generators.engine.compile import compile_network
from mbconv.generators.engine.memory_timing import parse_engine
from mbconv.generators.engine.program_file import stream_bytes, upload_bytes
from mbconv.generators.graph.graph import Graph, GraphError, Tensor
from mbconv.hdl.engine.weight_port import PLACE_BYTES
from mbconv.hdl.link.identity import Identity, PortShape
from mbconv.hdl.link.protocol import CRC_BYTES

from .errors import BoardError

PIECE = 16384
"""Bytes of the memory outside that a request fills: what is sent again where the line was wrong."""


class EngineNetwork:
    """A graph compiled for the engine of a board.

    Args:
        identity: of the board.

    Attributes:
        packet: what is uploaded; number: by which the board knows it afterwards.
        fills: what goes into the memory outside before that, where the link fills it, in pieces.
        identity: of a board that holds this network alone: its shapes and cycles.

    Raises:
        BoardError: the engine is of another version, or does not compute the graph; the message says why.
    """

    def __init__(self, graph: Graph, identity: Identity):
        try:
            parameters, timing = parse_engine(identity.engine)
        except ValueError as error:
            raise BoardError(f"the board's engine is of another version of mbconv: {error}") from None
        if parameters.identity.to_bytes(len(identity.plan), "little") != identity.plan:
            raise BoardError("the board's engine is of another version of mbconv: build and load it again")
        try:
            program = compile_network(graph, parameters, timing=timing)
        except GraphError as error:
            raise BoardError(f"the board's engine ({parameters.text}): {error}") from None
        self.packet = upload_bytes(program)
        self.number = int.from_bytes(self.packet[-CRC_BYTES:], "little")
        stream = stream_bytes(program) if identity.fills else b""
        self.fills = [
            (first // PLACE_BYTES).to_bytes(PLACE_BYTES, "little") + stream[first : first + PIECE]
            for first in range(0, len(stream), PIECE)
        ]
        assert self.number == zlib.crc32(self.packet[:-CRC_BYTES])
        (source,), (result,) = program.inputs, program.outputs
        self.identity = replace(
            identity,
            name=graph.name,
            interval=program.interval,
            latency=program.cycles,
            source=_shape(graph.tensors[source]),
            result=_shape(graph.tensors[result]),
        )


def _shape(tensor: Tensor) -> PortShape:
    """A tensor as a link carries it."""
    return PortShape(tensor.element.bits, tensor.element.signed, 1, tensor.height, tensor.width, tensor.channels)
