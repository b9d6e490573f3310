"""The top of a design: AXI4-Streams outside, tensor streams inside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, ClockDomain, Module, ShapeLike, Signal
from amaranth.lib.stream import Interface, Signature
from amaranth.lib.wiring import Component, In, Out, connect

from .axi_stream import AxiFrame, data_bytes_for
from .axi_stream_input import COUNTER_BITS, AxiStreamInput
from .axi_stream_merge import AxiStreamMerge
from .axi_stream_output import LEAST_QUEUE, AxiStreamOutput
from .cost import NOTHING
from .family import GENERIC, Family
from .fifo import RegisterQueue
from .fork import Fork
from .global_buffer import GlobalBuffer
from .layouts import ArrayLayout
from .separate import separate
from .stream_graph import connect_streams

__all__ = ["AxiStreamEdge", "AxiStreamTop", "data_bytes_for"]


@dataclass(frozen=True)
class AxiStreamEdge:
    """An AXI4-Stream port of a design.

    Attributes:
        name: its Verilog ports are ``<name>_tdata``, ``<name>_tvalid`` and so on.
        shape, channels, pixels, lanes, data_bytes, fill: see :class:`~mbconv.hdl.axi_stream_input.AxiStreamInput`;
            an output has no use for ``fill``.
        queue_depth: AXI beats that can wait at an output (:class:`~mbconv.hdl.axi_stream_output.AxiStreamOutput`).

    Raises:
        ValueError: a name that is no identifier of Verilog, or what :class:`~mbconv.hdl.axi_stream.AxiFrame` refuses.
    """

    name: str
    shape: ShapeLike
    channels: int
    pixels: int
    lanes: int
    data_bytes: int
    fill: int = 0
    queue_depth: int = LEAST_QUEUE

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z]\w*", self.name, re.ASCII):
            raise ValueError(f"{self.name!r} cannot begin the names of Verilog ports")
        _ = self.frame

    @property
    def frame(self) -> AxiFrame:
        return AxiFrame(self.shape, self.channels, self.pixels, self.data_bytes)


def status_names(inputs: Sequence[AxiStreamEdge]) -> list[str]:
    """The ports that count bad packets: ``short_frames`` and ``long_frames``, of each input where there are several."""
    kinds = ("short_frames", "long_frames")
    return [kind if len(inputs) == 1 else f"{edge.name}_{kind}" for edge in inputs for kind in kinds]


class AxiStreamTop(Component):
    """Puts AXI4-Stream edges around a circuit with plain tensor streams.

    ::

        s_axis ──► AxiStreamInput ──► core ──► AxiStreamOutput ──► m_axis
                          │ marks                     ▲
                          └──► join (or) ──► fork ──► queue of mark_depth

    Outputs may be merged into one AXI4-Stream, a packet of each in turn (``AxiStreamMerge``). Cycles, latency
    and cost are those of the core and of the edges.

    One packet is one frame. A frame is bad, TUSER on its last beat at every output, if the packet of any input was too
    short or too long.

    ``aclk`` clocks everything. ``aresetn``, synchronous and active low, is registered once and passes a
    :class:`~mbconv.hdl.global_buffer.GlobalBuffer`; one cycle is enough. While it is low and in the cycle after, TVALID
    and TREADY are low.

    Args:
        core: all its ports are streams of tensors, one frame at each output for one at each input.
        inputs, outputs: the edge of each of those ports.
        mark_depth: frames of which the marks can wait at an output: at least those begun in the core at once. With
            fewer an input waits at its frame's end until an output has finished one.
        merged: the name of the one AXI4-Stream that all outputs leave by, in the order of ``outputs``; each has as
            many bytes of TDATA. None: each has its own.

    Members:
        aclk, aresetn: ``In(1)``
        ``<name>_tdata``, ``_tkeep``, ``_tlast``, ``_tvalid``, ``_tready``: of every edge; ``_tuser`` of outputs
        short_frames, long_frames: ``Out(16)``, bad packets since reset, wrapping; with several inputs
            ``<name>_short_frames`` and ``<name>_long_frames`` of each

    Raises:
        ValueError: no input or no output, a name that is used twice, a port of the core without an edge, an edge
            without a port or of another shape, a ``mark_depth`` below 1, merged outputs of different widths.
    """

    own_cost = NOTHING

    def __init__(
        self,
        core: Component,
        inputs: Mapping[str, AxiStreamEdge],
        outputs: Mapping[str, AxiStreamEdge],
        mark_depth: int,
        merged: str | None = None,
        *,
        family: Family = GENERIC,
    ):
        self.core, self.inputs, self.outputs = core, dict(inputs), dict(outputs)
        self.mark_depth, self.merged = mark_depth, merged
        self._check()
        self.input_edges = {
            port: AxiStreamInput(
                edge.shape, edge.channels, edge.pixels, edge.lanes, edge.data_bytes, edge.fill, family=family
            )
            for port, edge in self.inputs.items()
        }
        self.output_edges = {
            port: AxiStreamOutput(
                edge.shape, edge.channels, edge.pixels, edge.lanes, edge.data_bytes, edge.queue_depth, family=family
            )
            for port, edge in self.outputs.items()
        }
        self.merge = None if merged is None else AxiStreamMerge(len(self.outputs), self._data_bytes())
        self.mark_queues = {port: RegisterQueue(1, mark_depth) for port in self.outputs}
        members = {"aclk": In(1), "aresetn": In(1)}
        sources = {edge.name: edge.data_bytes for edge in self.inputs.values()}
        sinks = {edge.name: edge.data_bytes for edge in self.outputs.values()}
        if merged is not None:
            sinks = {merged: self._data_bytes()}
        for ports, toward, away in ((sources, In, Out), (sinks, Out, In)):
            for name, data_bytes in ports.items():
                widths = {"tdata": 8 * data_bytes, "tkeep": data_bytes, "tlast": 1}
                if toward is Out:
                    widths["tuser"] = 1
                members |= {f"{name}_{field}": toward(width) for field, width in widths.items()}
                members |= {f"{name}_tvalid": toward(1), f"{name}_tready": away(1)}
        members |= dict.fromkeys(status_names(list(self.inputs.values())), Out(COUNTER_BITS))
        super().__init__(members)

    def _check(self) -> None:
        if not self.inputs or not self.outputs:
            raise ValueError("a design has at least one input and one output")
        names = [edge.name for edge in (*self.inputs.values(), *self.outputs.values())]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two edges are named {', '.join(twice)}")
        for what, flow, edges in (("input", In, self.inputs), ("output", Out, self.outputs)):
            ports = {name: member for name, member in self.core.signature.members.items() if member.flow == flow}
            if ports.keys() != edges.keys():
                raise ValueError(f"{what} edges are given for {sorted(edges)}, the core has {sorted(ports)}")
            for name, edge in edges.items():
                wanted = ArrayLayout(edge.shape, edge.lanes)
                if not ports[name].is_signature or not isinstance(ports[name].signature, Signature):
                    raise ValueError(f"the core's {name} is no stream")
                if (payload := ports[name].signature.members["payload"].shape) != wanted:
                    raise ValueError(f"the edge {edge.name} has beats of {wanted!r}, the core's {name} of {payload!r}")

    def _data_bytes(self) -> int:
        """Bytes of TDATA of all outputs, which are merged."""
        widths = {edge.data_bytes for edge in self.outputs.values()}
        if len(widths) > 1:
            raise ValueError(
                f"merged outputs have TDATA of one width, not {' and '.join(map(str, sorted(widths)))} bytes"
            )
        return widths.pop()

    def _status(self, edge: AxiStreamEdge, kind: str) -> str:
        return kind if len(self.inputs) == 1 else f"{edge.name}_{kind}"

    @property
    def multipliers(self) -> int:
        return getattr(self.core, "multipliers", 0)

    @property
    def memory_bits(self) -> int:
        edges = (*self.input_edges.values(), *self.output_edges.values(), *self.mark_queues.values())
        return getattr(self.core, "memory_bits", 0) + sum(edge.memory_bits for edge in edges)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.domains.sync = domain = ClockDomain()
        reset = Signal(init=1, reset_less=True)
        domain.clk, domain.rst = self.aclk, Signal()
        m.submodules.network_reset = network_reset = GlobalBuffer()
        m.d.comb += [network_reset.i.eq(reset), domain.rst.eq(network_reset.o)]
        m.d.sync += reset.eq(~self.aresetn)
        running = Signal()
        m.d.comb += running.eq(self.aresetn & ~reset)

        inputs: dict[str, Component] = {}
        outputs: dict[str, Component] = {}
        m.submodules.core = core = separate(self.core, "core")
        for port, edge in self.inputs.items():
            m.submodules[edge.name] = circuit = inputs[port] = separate(self.input_edges[port], edge.name)
            self._outside(m, edge.name, circuit.i, running, source=True)
            connect_streams(m, circuit.o, getattr(core, port), edge.name)
            for kind in ("short_frames", "long_frames"):
                m.d.comb += getattr(self, self._status(edge, kind)).eq(getattr(circuit, kind))
        for port, edge in self.outputs.items():
            m.submodules[edge.name] = circuit = outputs[port] = separate(self.output_edges[port], edge.name)
            if self.merge is None:
                self._outside(m, edge.name, circuit.o, running, source=False)
            connect_streams(m, getattr(core, port), circuit.i, edge.name)
        if self.merge is not None and self.merged is not None:
            m.submodules[self.merged] = merge = separate(self.merge, self.merged)
            for place, circuit in enumerate(outputs.values()):
                connect(m, circuit.o, getattr(merge, f"i{place}"))
            self._outside(m, self.merged, merge.o, running, source=False)
        self._marks(m, inputs, outputs)
        return m

    def _outside(self, m: Module, name: str, stream: Interface, running: Signal, *, source: bool) -> None:
        """An AXI4-Stream's Verilog ports: nothing moves in reset, and no beat is taken that the reset would lose."""

        def port(field: str) -> Signal:
            return getattr(self, f"{name}_{field}")

        if source:
            m.d.comb += [
                stream.valid.eq(port("tvalid") & running),
                port("tready").eq(stream.ready & running),
                *(stream.p[field].eq(port(f"t{field}")) for field in ("data", "keep", "last")),
            ]
        else:
            m.d.comb += [
                port("tvalid").eq(stream.valid & running),
                stream.ready.eq(port("tready") & running),
                *(port(f"t{field}").eq(stream.p[field]) for field in ("data", "keep", "last", "user")),
            ]

    def _marks(self, m: Module, inputs: Mapping[str, Component], outputs: Mapping[str, Component]) -> None:
        """The marks of a frame at all inputs joined, then given to every output."""
        marks = [circuit.marks for circuit in inputs.values()]
        m.submodules.marks = fork = Fork(1, len(self.outputs))
        m.d.comb += [
            fork.i.valid.eq(Cat(mark.valid for mark in marks).all()),
            fork.i.payload.eq(Cat(mark.payload for mark in marks).any()),
            *(mark.ready.eq(fork.i.valid & fork.i.ready) for mark in marks),
        ]
        for index, (port, edge) in enumerate(self.outputs.items()):
            m.submodules[f"{edge.name}_marks"] = queue = self.mark_queues[port]
            connect(m, getattr(fork, f"o{index}"), queue.i)
            connect(m, queue.o, outputs[port].marks)
