"""The side of the protocol that a board with an engine speaks: networks are uploaded, frames have any length."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import In, Out

from ..family import GENERIC, Family
from .cobs_encoder import PACKET
from .protocol import CRC_BYTES, HEADER_BYTES, Reason, Request
from .server import LinkServer

_HELD_BYTES = CRC_BYTES + 1


class EngineServer(LinkServer):
    """Answers IDENTIFY, STATUS, UPLOAD and INFER, and FILL where it ``fills`` a memory.

    ::

        packets ──► RECEIVE ──► LAST ──► (INFER) WAIT ────┐
                      │          ├─────► (UPLOAD) TAKEN ──┼──► HEADER ──► BODY ──► CHECK ──► RECEIVE
                      │          └─────► (FILL) ──────────┤
                      └──► QUIET ─────────────────────────┘   after what is wrong

    A payload of any length passes on while it is received, but for its last byte: that is known when the delimiter has
    come, and passes on if the packet was right. After a packet that is wrong the engine is reset; what it was given by
    an earlier upload it keeps. A report's first word is the number of the network that is loaded, 0 where there is
    none.

    Cost: 40 bits of a payload, beside the server's.

    Args:
        identity, quiet_cycles, name, family: as of :class:`.server.LinkServer`.
        fills: there is a memory outside that is filled over the link.

    Members: those of the server, and
        program: ``Out(stream.Signature(PACKET))``, an upload; memory: likewise, what FILL brings, where it ``fills``.
        loaded, refused: ``In(1)``, of the last upload; number: ``In(32)``.
        wrong: ``In(1)``, with the first byte of a result: its frame had another length than the network's, or foreign:
            ``In(1)``, what the memory outside holds is not the network's.
    """

    def __init__(
        self,
        identity: bytes,
        quiet_cycles: int,
        name: str = "identity",
        *,
        fills: bool = False,
        family: Family = GENERIC,
    ):
        self.fills = fills
        super().__init__(identity, 1, quiet_cycles, False, name, family=family)

    def _further_members(self) -> dict:
        return {
            "program": Out(Signature(PACKET)),
            **({"memory": Out(Signature(PACKET))} if self.fills else {}),
            "loaded": In(1),
            "refused": In(1),
            "number": In(32),
            "wrong": In(1),
            "foreign": In(1),
        }

    @property
    def _sinks(self) -> dict[Request, Any]:
        """Where the payload of requests of any length goes."""
        sinks = {Request.INFER: self.frame, Request.UPLOAD: self.program}
        return {**sinks, Request.FILL: self.memory} if self.fills else sinks

    @property
    def lengths(self) -> dict[Request, int]:
        """Bytes of the packets that have a length of their own."""
        return dict.fromkeys((Request.IDENTIFY, Request.STATUS), HEADER_BYTES + CRC_BYTES)

    def elaborate(self, platform) -> Module:
        self._held, self._count = Signal(8 * _HELD_BYTES, reset_less=True), Signal(range(_HELD_BYTES + 1))
        return super().elaborate(platform)

    @property
    def _report_words(self) -> Value:
        return Cat(self.number & self.loaded.replicate(32), C(0, 64))

    def _offer(self, m: Module, valid: Value, last: int) -> Value:
        """Offer the oldest byte held to whom the packet is for; returns whether it is taken."""
        taken = Signal()
        for request, sink in self._sinks.items():
            m.d.comb += [sink.p.data.eq(self._held[:8]), sink.p.last.eq(last)]
            with m.If(self._kind == request):
                m.d.comb += [sink.valid.eq(valid), taken.eq(sink.ready)]
        return taken

    def _streams(self) -> Value:
        """The packet's payload passes on."""
        return Cat(
            (self._kind == request) & (self.loaded if request == Request.INFER else 1) for request in self._sinks
        ).any()

    def _receive(self, m: Module) -> None:
        position, full = self._position, Signal()
        passes = self._payload & self._streams() & full
        m.d.comb += full.eq(self._count == _HELD_BYTES)
        taken = self._offer(m, self._is_byte() & passes, 0)
        m.d.comb += self.i.ready.eq(Mux(self.i.p.end, self._judged, ~passes | taken))
        with m.If(self._is_byte() & self.i.ready):
            m.d.comb += self._passes.eq(1)
            with m.If(~position.all()):
                m.d.sync += position.eq(position + 1)
            with m.If(position == 0):
                self._take_type(m)
            with m.If(position == 1):
                m.d.sync += [self._sequence.eq(self.i.p.data), self._payload.eq(1)]
            with m.If(self._payload):
                m.d.sync += self._held.eq(Cat(self._held[8:], self.i.p.data))
                with m.If(~full):
                    m.d.sync += self._count.eq(self._count + 1)
        with m.If(self._is_delimiter() & self._judged):
            self._judge(m)

    def _forget(self, m: Module) -> None:
        super()._forget(m)
        m.d.sync += self._count.eq(0)

    @property
    def _streamed(self) -> Value:
        """The packet's type is one of any length."""
        return Cat(self._kind == request for request in self._sinks).any()

    @property
    def _known(self) -> Value:
        return self._streamed | super()._known

    @property
    def _whole(self) -> Value:
        return Mux(self._streamed, self._count == _HELD_BYTES, self._position == HEADER_BYTES + CRC_BYTES)

    def _judge(self, m: Module) -> None:
        self._forget(m)
        with m.If(self._bad | self.i.p.bad | self._damaged):
            self._fail(m, Reason.GARBLED)
        with m.Elif(self._unknown):
            self._fail(m, Reason.UNKNOWN)
        with m.Elif(self._unlike):
            self._fail(m, Reason.LENGTH)
        with m.Elif(self._some & (self._kind == Request.INFER) & ~self.loaded):
            self._fail(m, Reason.EMPTY)
        with m.Elif(self._some):
            m.d.sync += [self._failed.eq(0), self._reason.eq(Reason.NONE)]
            m.next = "HEADER"
            with m.If(self._streamed):
                m.next = "LAST"

    def _unless_cancelled(self, m: Module) -> None:
        """What the line brings while an answer is prepared."""
        with m.If(self._is_byte()):
            m.d.sync += self._bad.eq(1)
        with m.If(self._is_delimiter()):
            self._fail(m, Reason.CANCELLED)

    def _further_states(self, m: Module) -> None:
        with m.State("LAST"):
            with m.If(self._offer(m, C(1), 1)):
                m.next = "WAIT"
                with m.If(self._kind == Request.UPLOAD):
                    m.next = "TAKEN"
                if self.fills:
                    with m.Elif(self._kind == Request.FILL):
                        m.next = "HEADER"
            self._unless_cancelled(m)
        with m.State("TAKEN"):
            with m.If(self.loaded):
                m.next = "HEADER"
            with m.If(self.refused):
                self._fail(m, Reason.REFUSED)
            self._unless_cancelled(m)

    def _wait(self, m: Module) -> None:
        with m.If(self.result.valid):
            m.next = "HEADER"
            with m.If(self.foreign):
                self._fail(m, Reason.MEMORY)
            with m.Elif(self.wrong):
                self._fail(m, Reason.LENGTH)
        self._unless_cancelled(m)
