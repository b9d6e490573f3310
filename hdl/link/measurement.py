"""A network driven at full speed by pseudo-random frames, its cycles counted, its results summed into a signature."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, ResetInserter, Signal
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..axi_stream import AxiFrame, axi_payload
from ..cost import Cost
from ..counting import advance
from ..fifo import RegisterQueue
from ..layouts import StructLayout
from .shift_sequence import BITS, following

FRAMES_BITS = 16
CYCLES_BITS = 32
SIGNATURE_START = (1 << BITS) - 1


class Measurement(Component):
    """Feeds frames back to back and takes every result at once, as built-in self-test does.

    Frames are the bits of :mod:`.shift_sequence`, the seed's 32 bits first, the lowest bit of a byte first: each beat
    takes as many bits as TDATA has, also where its last bytes are null. The signature is the register of the same
    sequence, all ones at first, to which every bit of the results' beats is added; their null bytes are zeros.

    ``cycles`` are those from the first beat in to the last beat of the last result, ``interval`` those between the last
    two results (with one frame the same as ``cycles``); both wrap at 2³².

    ::

        sequence ──► RegisterQueue of 2 ──► o        i ──► register ──► signature
                                         └──► a beat was taken, register ──► cycles ◄──┘

    What the network does is noted in a register and counted a cycle later, at both ends alike; so no path leads from
    the network through the measurement.

    Cost: four registers of 32 bits, three counters; 4 inputs to each of up to 10 new bits of a sequence; two beats of
    frames and one of results.

    Args:
        source, result: the frames at the two ends.
        in_flight: frames that can have begun without having ended.

    Members:
        load: ``In(1)``, byte: ``In(8)``: the seed's four bytes and the two of the number of frames, lowest first
        start: ``In(1)``, a cycle before ``run``: clears what was measured
        run: ``In(1)``, high until ``done``; when it falls before, the network has to be reset
        done: ``Out(1)``, while ``run``: the last result has come
        o: ``Out(stream.Signature(axi_payload(…)))`` to the network
        i: ``In(stream.Signature(axi_payload(…, user=True)))`` from it
        cycles, interval, total: ``Out(32)``; total is the signature
    """

    def __init__(self, source: AxiFrame, result: AxiFrame, in_flight: int):
        if in_flight < 1:
            raise ValueError(f"at least one frame is in flight, not {in_flight}")
        self.source, self.result = source, result
        self.queue = RegisterQueue(StructLayout({"data": 8 * source.data_bytes, "last": 1}), 2)
        self.in_flight = in_flight + self.queue.depth + 1  # those whose ends wait at both sides
        super().__init__(
            {
                "load": In(1),
                "byte": In(8),
                "start": In(1),
                "run": In(1),
                "done": Out(1),
                "o": Out(Signature(axi_payload(source.data_bytes))),
                "i": In(Signature(axi_payload(result.data_bytes, user=True))),
                "cycles": Out(CYCLES_BITS),
                "interval": Out(CYCLES_BITS),
                "total": Out(BITS),
            }
        )

    @property
    def own_cost(self) -> Cost:
        """Four registers of 32 bits, two of them counters; the next bits of two sequences; counters of frames and
        beats; a beat of results."""
        return Cost(213 + 8 * self.source.data_bytes + 24 * self.result.data_bytes)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.queue = queue = ResetInserter(self.start)(self.queue)  # of a measurement that was cancelled
        state, remaining = Signal(BITS), Signal(FRAMES_BITS)  # frames whose first beat is still to be made
        under_way = Signal(range(self.in_flight + 1))
        index = Signal(range(max(2, self.source.beats)))
        first, last, made, given = Signal(), Signal(), Signal(), Signal()
        arrived = Signal(self.i.p.shape(), reset_less=True)
        taken, ended = Signal(), Signal()
        whole, tail = self.source.data_bytes, self.source.last_elements * self.source.element_bytes
        m.d.comb += [
            first.eq(index == 0),
            last.eq(index == self.source.beats - 1),
            queue.i.valid.eq(self.run & ((remaining != 0) | ~first)),
            queue.i.payload.data.eq(Cat(following(state, 8 * whole)[: 8 * whole])),
            queue.i.payload.last.eq(last),
            made.eq(queue.i.valid & queue.i.ready),
            self.o.valid.eq(queue.o.valid),
            queue.o.ready.eq(self.o.ready),
            self.o.p.data.eq(queue.o.payload.data),
            self.o.p.last.eq(queue.o.payload.last),
            self.o.p.keep.eq(Mux(queue.o.payload.last, (1 << tail) - 1, (1 << whole) - 1)),
            self.i.ready.eq(self.run),
            ended.eq(taken & arrived.last),
            self.done.eq((remaining == 0) & (under_way == 0) & first),
        ]
        m.d.sync += [given.eq(self.o.valid & self.o.ready), taken.eq(self.i.valid & self.i.ready), arrived.eq(self.i.p)]
        with m.If(self.load):
            m.d.sync += [remaining.eq(Cat(remaining[8:], self.byte)), state.eq(Cat(state[8:], remaining[:8]))]
        with m.Elif(made):
            m.d.sync += state.eq(Cat(following(state, 8 * whole)[-BITS:]))
            advance(m, index, self.source.beats)
            with m.If(first):
                m.d.sync += remaining.eq(remaining - 1)
        with m.If(self.start):
            m.d.sync += [index.eq(0), under_way.eq(0)]
        with m.Else():
            m.d.sync += under_way.eq(under_way + (made & first) - ended)
        self._results(m, given, taken, arrived.data, ended, ended & (remaining == 0) & (under_way == 1))
        return m

    def _results(self, m: Module, given: Signal, taken: Signal, data, ended: Signal, finished) -> None:
        counting = Signal()
        with m.If(given):
            m.d.sync += counting.eq(1)
        with m.If(counting):
            m.d.sync += [self.cycles.eq(self.cycles + 1), self.interval.eq(self.interval + 1)]
            with m.If(ended):
                m.d.sync += counting.eq(~finished)
                with m.If(~finished):
                    m.d.sync += self.interval.eq(0)
        with m.If(taken):
            bits = list(data)
            m.d.sync += self.total.eq(Cat(following(self.total, len(bits), bits)[-BITS:]))
        with m.If(self.start):
            m.d.sync += [
                counting.eq(0),
                self.cycles.eq(0),
                self.interval.eq(0),
                self.total.eq(SIGNATURE_START),
            ]
