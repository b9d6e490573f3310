"""Several AXI4-Streams as one: a packet of each in turn."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from .axi_stream import axi_payload
from .cost import Cost
from .counting import advance


class AxiStreamMerge(Component):
    """Gives a whole packet of ``i0``, then one of ``i1`` and so on, then of ``i0`` again.

    ::

        i0 ──►┐
        i1 ──►├──► o      whose turn it is moves on with TLAST
        i2 ──►┘

    No latency: a beat each cycle, also from one packet to the next. Cost: a selection of each bit, and a turn.

    Args:
        inputs: how many, at least 2.
        data_bytes: of TDATA, of all of them.

    Members:
        i0, i1 …: ``In(stream.Signature(axi_payload(data_bytes, user=True)))``
        o: ``Out(…)`` of the same

    Raises:
        ValueError: fewer than two inputs.
    """

    multipliers = 0
    memory_bits = 0

    def __init__(self, inputs: int, data_bytes: int):
        if inputs < 2:
            raise ValueError(f"two streams or more are merged, not {inputs}")
        self.inputs, self.data_bytes = inputs, data_bytes
        payload = Signature(axi_payload(data_bytes, user=True))
        super().__init__({**{f"i{place}": In(payload) for place in range(inputs)}, "o": Out(payload)})

    @property
    def own_cost(self) -> Cost:
        """A selection of each bit, and whose turn it is."""
        bits = 9 * self.data_bytes + 2
        return Cost(bits * (self.inputs - 1) + 3 * (self.inputs - 1).bit_length() + 2)

    def elaborate(self, platform) -> Module:
        m = Module()
        turn = Signal(range(self.inputs))
        with m.Switch(turn):
            for place in range(self.inputs):
                source = getattr(self, f"i{place}")
                with m.Case(place):
                    m.d.comb += [
                        self.o.valid.eq(source.valid),
                        self.o.payload.eq(source.payload),
                        source.ready.eq(self.o.ready),
                    ]
        with m.If(self.o.valid & self.o.ready & self.o.p.last):
            advance(m, turn, self.inputs)
        return m
