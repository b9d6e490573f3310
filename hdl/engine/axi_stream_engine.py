"""The engine as a block of a user's own chip: AXI4-Streams for frames, results, programs and weights."""

from __future__ import annotations

from amaranth.hdl import ClockDomain, Module, Signal
from amaranth.lib.wiring import Component, In, Out, connect

from ..axi_stream import axi_payload
from ..axi_stream_input import COUNTER_BITS
from ..family import GENERIC, Family
from ..fifo import Fifo
from .edges import RESULT_BYTE
from .engine import Engine
from .weight_port import PLACE_BITS

EDGE_CYCLES = 2
"""Cycles that the two edges add to those of a lone frame: a queue each."""

COUNTERS = ("short_frames", "long_frames", "damaged_results")
"""Ports that count, since reset, wrapping."""

FRAMES, RESULTS, PROGRAM, WEIGHTS = "s_axis", "m_axis", "s_axis_program", "s_axis_weights"
"""The names of its streams."""


class AxiStreamEngine(Component):
    """An engine between AXI4-Streams.

    ::

        s_axis_program ──► null bytes ──────┐        ┌── s_axis_weights ◄── a memory of weights, if it has a port
                                            ▼        ▼
        s_axis ──► Fifo of 2 ──► null beats ──► Engine ──► Fifo of 2 ──► m_axis

    A packet of ``s_axis`` is a tensor, ``input_elements`` (E) bytes a beat, each pixel from a beat of its own on; one
    of ``m_axis`` a result, a byte a beat. What is short or long is what it is at a pipeline's edge
    (:class:`~mbconv.hdl.axi_stream_input.AxiStreamInput`): a beat that keeps nothing is skipped, or with TLAST takes
    the place of elements that are missing. Of a beat that keeps some bytes all are taken. TUSER marks results that are
    wrong: of a packet that was short or long, or of weights that came damaged or were another program's.

    A packet of ``s_axis_program`` is what :class:`~mbconv.hdl.engine.upload.Upload` takes: between two frames, and
    before a frame that waits. ``program_loaded`` says that it came whole, ``program_failed`` that it did not,
    ``program_number`` which one it is. A reset leaves a program loaded.

    ``s_axis_weights`` is :func:`~mbconv.hdl.engine.weight_port.weight_port`: what the memory holds for the program, in
    order, anew from ``weights_place`` (engines that overlap frames) or the first byte (all others) in the cycle after
    ``weights_restart``. It has no TLAST, as there is no end.

    ``aclk`` clocks everything. ``aresetn``, synchronous and active low, is registered once; one cycle is enough. While
    it is low and in the cycle after, TVALID and TREADY are low.

    Cycles: those of the program, and ``EDGE_CYCLES`` for a lone frame. Cost: the engine, two beats at each edge, three
    counters of 16 bits.

    Members:
        aclk, aresetn: ``In(1)``
        s_axis_tdata: ``In(8 · E)``, _tkeep: ``In(E)``, _tlast, _tvalid: ``In(1)``, _tready: ``Out(1)``
        m_axis_tdata: ``Out(8)``, _tkeep, _tlast, _tuser, _tvalid: ``Out(1)``, _tready: ``In(1)``
        s_axis_program_tdata: ``In(8)``, _tkeep, _tlast, _tvalid: ``In(1)``, _tready: ``Out(1)``
        s_axis_weights_tdata: ``In(8 · port_bytes)``, _tvalid: ``In(1)``, _tready, weights_restart: ``Out(1)``,
        weights_place: ``Out(24)``: of engines that have them
        program_loaded, program_failed: ``Out(1)``; program_number: ``Out(32)``
        short_frames, long_frames, damaged_results: ``Out(16)``, packets since reset, wrapping
    """

    def __init__(self, engine: Engine, family: Family = GENERIC):
        self.engine = engine
        p = engine.parameters
        elements = p.input_elements
        self.arriving = Fifo(axi_payload(elements), 2, family=family)
        self.leaving = Fifo(RESULT_BYTE, 2, family=family)
        members = {"aclk": In(1), "aresetn": In(1)}
        for name, size in ((FRAMES, elements), (PROGRAM, 1)):
            members |= {f"{name}_tdata": In(8 * size), f"{name}_tkeep": In(size), f"{name}_tlast": In(1)}
            members |= {f"{name}_tvalid": In(1), f"{name}_tready": Out(1)}
        members |= {f"{RESULTS}_tdata": Out(8), **{f"{RESULTS}_{bit}": Out(1) for bit in ("tkeep", "tlast", "tuser")}}
        members |= {f"{RESULTS}_tvalid": Out(1), f"{RESULTS}_tready": In(1)}
        if p.port_bytes:
            members |= {f"{WEIGHTS}_tdata": In(8 * p.port_bytes), f"{WEIGHTS}_tvalid": In(1)}
            members |= {f"{WEIGHTS}_tready": Out(1), "weights_restart": Out(1)}
        if p.overlaps:
            members["weights_place"] = Out(PLACE_BITS)
        members |= {"program_loaded": Out(1), "program_failed": Out(1), "program_number": Out(32)}
        super().__init__(members | dict.fromkeys(COUNTERS, Out(COUNTER_BITS)))

    @property
    def multipliers(self) -> int:
        return self.engine.multipliers

    @property
    def memory_bits(self) -> int:
        return self.engine.memory_bits + self.arriving.memory_bits + self.leaving.memory_bits

    def elaborate(self, platform) -> Module:
        m = Module()
        m.domains.sync = domain = ClockDomain()
        reset, running = Signal(init=1, reset_less=True), Signal()
        domain.clk, domain.rst = self.aclk, reset
        m.d.sync += reset.eq(~self.aresetn)
        m.d.comb += running.eq(self.aresetn & ~reset)
        m.submodules.engine, m.submodules.arriving, m.submodules.leaving = self.engine, self.arriving, self.leaving
        self._frames(m, running)
        self._program(m, running)
        self._results(m, running)
        if self.engine.parameters.port_bytes:
            self._weights(m, running)
        return m

    def _frames(self, m: Module, running: Signal) -> None:
        arriving, frame = self.arriving, self.engine.i
        m.d.comb += [
            arriving.i.valid.eq(self.s_axis_tvalid & running),
            self.s_axis_tready.eq(arriving.i.ready & running),
            *(arriving.i.p[field].eq(getattr(self, f"s_axis_t{field}")) for field in ("data", "keep", "last")),
        ]
        beat, null, skipped = arriving.o, Signal(), Signal()
        m.d.comb += [
            null.eq(~beat.p.keep.any()),
            skipped.eq(null & ~beat.p.last),
            frame.valid.eq(beat.valid & ~skipped),
            beat.ready.eq(frame.ready | skipped),
            frame.p.data.eq(beat.p.data),
            frame.p.last.eq(beat.p.last),
            frame.p.null.eq(null),
        ]
        for name in ("short", "long"):
            count = getattr(self, f"{name}_frames")
            m.d.sync += count.eq(count + getattr(self.engine, name))

    def _program(self, m: Module, running: Signal) -> None:
        program, skipped = self.engine.program, Signal()
        m.d.comb += [
            skipped.eq(~self.s_axis_program_tkeep & ~self.s_axis_program_tlast),
            program.valid.eq(self.s_axis_program_tvalid & ~skipped & running),
            self.s_axis_program_tready.eq(program.ready & running),
            program.p.data.eq(self.s_axis_program_tdata),
            program.p.last.eq(self.s_axis_program_tlast),
            self.program_loaded.eq(self.engine.loaded),
            self.program_failed.eq(self.engine.failed),
            self.program_number.eq(self.engine.number),
        ]

    def _results(self, m: Module, running: Signal) -> None:
        engine, leaving = self.engine, self.leaving
        connect(m, engine.o, leaving.i)
        m.d.comb += [
            self.m_axis_tvalid.eq(leaving.o.valid & running),
            leaving.o.ready.eq(self.m_axis_tready & running),
            self.m_axis_tkeep.eq(1),
            *(getattr(self, f"m_axis_t{field}").eq(leaving.o.p[field]) for field in ("data", "last", "user")),
            engine.written.ready.eq(1),
            engine.retired.ready.eq(1),
        ]
        with m.If(engine.o.valid & engine.o.ready & engine.o.p.last & engine.damaged):
            m.d.sync += self.damaged_results.eq(self.damaged_results + 1)

    def _weights(self, m: Module, running: Signal) -> None:
        port = self.engine.memory
        m.d.comb += [
            port.words.valid.eq(self.s_axis_weights_tvalid & running),
            port.words.payload.eq(self.s_axis_weights_tdata),
            self.s_axis_weights_tready.eq(port.words.ready & running),
            self.weights_restart.eq(port.restart),
        ]
        if self.engine.parameters.overlaps:
            m.d.comb += self.weights_place.eq(port.place)
