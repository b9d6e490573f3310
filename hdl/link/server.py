"""The board's side of the protocol: requests in, answers out."""

from __future__ import annotations

from amaranth.hdl import C, Cat, Module, Mux, ResetInserter, Signal, Value
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from ..cost import Cost
from ..family import GENERIC, Family
from ..layouts import ArrayLayout
from ..primitives import Rom
from .cobs_decoder import DECODED
from .cobs_encoder import PACKET
from .protocol import ANSWER, CRC_BYTES, HEADER_BYTES, MEASURE_BYTES, REPORT_BYTES, Reason, Request

_COUNTERS = {
    Reason.GARBLED: 0,
    Reason.UNKNOWN: 1,
    Reason.LENGTH: 1,
    Reason.CANCELLED: 2,
    Reason.EMPTY: 1,
    Reason.REFUSED: 1,
    Reason.MEMORY: 1,
}
_WORDS = (REPORT_BYTES - 1 - 3) // 4


class LinkServer(Component):
    """Answers one request at a time.

    ::

        packets ──► RECEIVE ──► (INFER) WAIT ───┐
                      │  ▲ └──► (MEASURE) RUN ──┼──► HEADER ──► BODY ──► CHECK ──► RECEIVE
                      │  └──┐                   │
                      └──► QUIET ───────────────┘   after a packet that is wrong

    A frame passes to the network while it is received; only its end tells whether it was right. After a packet that is
    wrong, or cancelled by a delimiter before its answer began, the network is reset: nothing of a half fed frame is
    left. The failure is reported once the line has been quiet for ``quiet_cycles``; a packet that begins earlier takes
    its place. A packet that comes while an answer is sent is lost: that is a failure, which follows the answer.

    Cycles: none of its own matters beside the UART's; a byte of an answer takes at least 4. Cost: see
    ``docs/circuits/link.md``.

    Args:
        identity: the answer to IDENTIFY.
        frame_bytes: of a request to infer.
        quiet_cycles: see above.
        measures: MEASURE is served.
        name: of the ROM's file.

    Members:
        i: ``In(stream.Signature(DECODED))``
        damaged: ``In(1)``, a byte was lost or wrong below
        o: ``Out(stream.Signature(PACKET))``
        frame: ``Out(stream.Signature(PACKET))``, to the network
        result: ``In(stream.Signature(PACKET))``, from it
        restart: ``Out(1)``, resets the network and everything on the way to it
        load, byte, start, run, done, words: those of :class:`.measurement.Measurement`; words are cycles, interval,
            signature
        active: ``Out(1)``, an answer is owed or being sent

    Raises:
        ValueError: no byte of identity or frame, or a ``quiet_cycles`` below 1.
    """

    def __init__(
        self,
        identity: bytes,
        frame_bytes: int,
        quiet_cycles: int,
        measures: bool = True,
        name="identity",
        *,
        family: Family = GENERIC,
    ):
        for what, value in (
            ("bytes of identity", len(identity)),
            ("frame_bytes", frame_bytes),
            ("quiet_cycles", quiet_cycles),
        ):
            if value < 1:
                raise ValueError(f"{what} must be at least 1, not {value}")
        self.frame_bytes, self.quiet_cycles, self.measures = frame_bytes, quiet_cycles, measures
        self.rom = Rom(list(identity), 8, name, family=family)
        # Cycles before each byte of an answer: the memory or a report's register, and one more register.
        self._last_settling = self.rom.latency + 1
        super().__init__(
            {
                "i": In(Signature(DECODED)),
                "damaged": In(1),
                "o": Out(Signature(PACKET)),
                "frame": Out(Signature(PACKET)),
                "result": In(Signature(PACKET)),
                "restart": Out(1),
                "load": Out(1),
                "byte": Out(8),
                "start": Out(1),
                "run": Out(1),
                "done": In(1),
                "words": In(ArrayLayout(32, _WORDS)),
                "active": Out(1),
                **self._further_members(),
            }
        )

    def _further_members(self) -> dict:
        """Members of a server that does more."""
        return {}

    @property
    def memory_bits(self) -> int:
        return self.rom.memory_bits

    @property
    def own_cost(self) -> Cost:
        """The check sum, what packets are judged by and counted in, the position in one, the choice of an answer's
        bytes: fewer without a measurement."""
        return Cost(310 + 2 * self._position_bits + (93 if self.measures else 0))

    @property
    def _position_bits(self) -> int:
        """Of a byte in a packet, or a cycle in a pause."""
        longest = max(*self.lengths.values(), len(self.rom.words), REPORT_BYTES, HEADER_BYTES)
        return max(longest + 1, self.quiet_cycles).bit_length()

    @property
    def lengths(self) -> dict[Request, int]:
        """Bytes of each request's packet."""
        payloads = {Request.IDENTIFY: 0, Request.INFER: self.frame_bytes, Request.STATUS: 0}
        if self.measures:
            payloads[Request.MEASURE] = MEASURE_BYTES
        return {request: HEADER_BYTES + payload + CRC_BYTES for request, payload in payloads.items()}

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.rom = self.rom
        self._clear = Signal()
        self._crc = CRC32_ISO_HDLC().create()
        m.submodules.crc = ResetInserter(self._clear)(self._crc)
        # A byte is added a cycle after it passed: it may come from far, and goes through many sums.
        self._passes, self._passing = Signal(), Signal(8)
        m.d.sync += [self._crc.valid.eq(self._passes & ~self._clear), self._crc.data.eq(self._passing)]

        self._position = Signal(self._position_bits)
        self._kind, self._sequence, self._foreign = Signal(3), Signal(8), Signal()
        self._reason, self._counters, self._failed = Signal(range(len(Reason))), Signal(ArrayLayout(8, 3)), Signal()
        self._payload = Signal()  # the next byte belongs to a frame
        self._bad = Signal()  # a byte was lost since the last packet
        self._owed = Signal()  # a packet was lost while an answer was sent
        self._settling = Signal(range(self._last_settling + 1))
        reported = Cat(self._reason, C(0, 8 - len(self._reason)), self._counters, self._report_words)
        self._report_byte = Signal(8, reset_less=True)  # the words of a report may come from far
        m.d.sync += self._report_byte.eq(reported.word_select(self._position[:4], 8))
        self._byte, self._settled_byte = Signal(8), Signal(8, reset_less=True)  # of an answer; a cycle later
        m.d.sync += self._settled_byte.eq(self._byte)
        self._verdicts(m)

        m.d.sync += self.restart.eq(0)
        with m.If(self.damaged):
            m.d.sync += self._bad.eq(1)
        m.d.comb += [self.rom.en.eq(1), self.rom.addr.eq(self._position)]
        m.d.comb += [self.i.ready.eq(1), self.byte.eq(self.i.p.data), self._passing.eq(self.i.p.data)]
        with m.FSM() as states:
            receiving, still = states.ongoing("RECEIVE"), Signal()
            m.d.comb += self.active.eq(~receiving)
            m.d.sync += still.eq(receiving & ~(self.i.valid & self.i.ready))
            m.d.sync += self._judged.eq(still & receiving & ~(self.i.valid & self.i.ready))
            with m.State("RECEIVE"):
                self._receive(m)
            with m.State("QUIET"):
                self._quiet(m)
            with m.State("WAIT"):
                self._wait(m)
            with m.State("RUN"):
                m.d.comb += self.run.eq(1)
                self._until(m, self.done)
            for state in ("HEADER", "BODY", "CHECK"):
                with m.State(state):
                    self._send(m, state)
            self._further_states(m)
        return m

    def _further_states(self, m: Module) -> None:
        """States of a server that does more."""

    def _wait(self, m: Module) -> None:
        """Wait for a result."""
        self._until(m, self.result.valid)

    @property
    def _report_words(self) -> Value:
        """The words of a report."""
        return self.words.as_value() if self.measures else C(0, 32 * _WORDS)

    def _is_byte(self):
        return self.i.valid & ~self.i.p.end

    def _is_delimiter(self):
        return self.i.valid & self.i.p.end

    def _receive(self, m: Module) -> None:
        """Take a packet's bytes; a frame's pass to the network."""
        position = self._position
        feeding = self._payload & (self._kind == Request.INFER)
        m.d.comb += [
            self.frame.valid.eq(self._is_byte() & feeding),
            self.frame.p.data.eq(self.i.p.data),
            self.frame.p.last.eq(position == HEADER_BYTES + self.frame_bytes - 1),
            self.i.ready.eq(Mux(self.i.p.end, self._judged, ~feeding | self.frame.ready)),
        ]
        with m.If(self._is_byte() & self.i.ready):
            m.d.comb += self._passes.eq(1)
            with m.If(~position.all()):
                m.d.sync += position.eq(position + 1)
            with m.If(position == 0):
                self._take_type(m)
            with m.If(position == 1):
                m.d.sync += [self._sequence.eq(self.i.p.data), self._payload.eq(1)]
            if self.measures:
                m.d.comb += self.load.eq(self._payload & (position < HEADER_BYTES + MEASURE_BYTES))
            with m.If(self.frame.p.last):
                m.d.sync += self._payload.eq(0)
        with m.If(self._is_delimiter() & self._judged):
            self._judge(m)

    def _take_type(self, m: Module) -> None:
        kind = self.i.p.data[: len(self._kind)]
        m.d.sync += [self._kind.eq(kind), self._foreign.eq(self.i.p.data[len(self._kind) :].any())]

    @property
    def _known(self) -> Value:
        """The packet's type is one that is served."""
        return Cat(self._kind == request for request in self.lengths).any()

    @property
    def _whole(self) -> Value:
        """The packet so far is as long as its type asks for."""
        return Cat((self._kind == kind) & (self._position == length) for kind, length in self.lengths.items()).any()

    def _verdicts(self, m: Module) -> None:
        """What is wrong with the packet so far, in registers: what follows is far from the check sum's 32 bits.

        ``judged`` tells whether they are of all that has come.
        """
        some = self._position != 0
        self._judged, self._some = Signal(), Signal(reset_less=True)
        self._damaged, self._unknown, self._unlike = (Signal(reset_less=True) for _ in range(3))
        m.d.sync += [
            self._some.eq(some),
            self._damaged.eq(some & ~self._crc.match_detected),
            self._unknown.eq(some & (self._foreign | ~self._known)),
            self._unlike.eq(some & ~self._whole),
        ]

    def _judge(self, m: Module) -> None:
        """What follows a packet's end."""
        kind = self._kind
        self._forget(m)
        with m.If(self._bad | self.i.p.bad | self._damaged):
            self._fail(m, Reason.GARBLED)
        with m.Elif(self._unknown):
            self._fail(m, Reason.UNKNOWN)
        with m.Elif(self._unlike):
            self._fail(m, Reason.LENGTH)
        with m.Elif(self._some):
            m.d.sync += [self._failed.eq(0), self._reason.eq(Reason.NONE)]
            m.next = "HEADER"
            with m.If(kind == Request.INFER):
                m.next = "WAIT"
            if self.measures:
                with m.If(kind == Request.MEASURE):
                    m.d.comb += self.start.eq(1)
                    m.next = "RUN"

    def _forget(self, m: Module) -> None:
        """Be ready for another packet's first byte, or the answer's."""
        m.d.comb += self._clear.eq(1)
        m.d.sync += [self._position.eq(0), self._payload.eq(0), self._bad.eq(self.damaged)]

    def _fail(self, m: Module, reason: Reason) -> None:
        self._forget(m)
        self._report(m, reason)

    def _report(self, m: Module, reason: Reason) -> None:
        """Count a failure and report it, unless another packet begins."""
        m.d.sync += [self._failed.eq(1), self._reason.eq(reason), self.restart.eq(1)]
        counter = self._counters[_COUNTERS[reason]]
        m.d.sync += counter.eq(counter + 1)
        m.next = "QUIET"

    def _quiet(self, m: Module) -> None:
        """Report a failure unless another packet begins."""
        m.d.sync += self._position.eq(self._position + 1)
        with m.If(self._is_byte()):
            m.d.comb += self._passes.eq(1)
            self._take_type(m)
            m.d.sync += self._position.eq(1)
            m.next = "RECEIVE"
        with m.Elif(self._is_delimiter()):
            self._forget(m)
        with m.Elif(self._position == self.quiet_cycles):
            m.d.sync += self._position.eq(0)
            m.next = "HEADER"

    def _until(self, m: Module, ready) -> None:
        """Wait for what the answer is about; a delimiter ends the wait."""
        with m.If(self._is_byte()):
            m.d.sync += self._bad.eq(1)
        with m.If(self._is_delimiter()):
            self._fail(m, Reason.CANCELLED)
        with m.Elif(ready):
            m.next = "HEADER"

    def _send(self, m: Module, state: str) -> None:
        """The bytes of a part of the answer."""
        position, settled = self._position, self._settling == self._last_settling
        taken = self.o.valid & self.o.ready
        with m.If(self._is_byte()):
            m.d.sync += self._bad.eq(1)
        with m.If(self._is_delimiter()):
            m.d.sync += [self._owed.eq(self._owed | self._bad | self.damaged), self._bad.eq(0)]
        m.d.comb += [
            self.o.p.data.eq(self._settled_byte),
            self.o.valid.eq(settled),
            self._passes.eq(taken),
            self._passing.eq(self.o.p.data),
        ]
        with m.If(~settled):
            m.d.sync += self._settling.eq(self._settling + 1)
        with m.If(taken):
            m.d.sync += [self._settling.eq(0), position.eq(position + 1)]
        if state == "HEADER":
            kind = Mux(self._failed, 0, self._kind)
            m.d.comb += self._byte.eq(Mux(position[0], self._sequence, ANSWER | kind))
            last, following = position[0], "BODY"
        elif state == "BODY":
            last, following = self._body(m, settled), "CHECK"
        else:
            # With its own lowest byte as data the check sum moves by a byte, so that the next one is lowest.
            m.d.comb += [self._byte.eq(self._crc.crc), self._passing.eq(~self._crc.crc[:8])]
            last, following = position == CRC_BYTES - 1, "RECEIVE"
            m.d.comb += self.o.p.last.eq(last)
        with m.If(taken & last):
            m.d.sync += position.eq(0)
            m.next = following
            if state == "CHECK":
                m.d.comb += self._clear.eq(1)
                with m.If(self._owed):
                    m.d.sync += self._owed.eq(0)
                    self._report(m, Reason.GARBLED)

    def _body(self, m: Module, settled):
        """The answer's payload; returns whether its last byte is given."""
        last = Signal()
        with m.If(~self._failed & (self._kind == Request.IDENTIFY)):
            m.d.comb += [self._byte.eq(self.rom.data), last.eq(self._position == len(self.rom.words) - 1)]
        with m.Elif(~self._failed & (self._kind == Request.INFER)):
            m.d.comb += [
                self.o.p.data.eq(self.result.p.data),
                self.o.valid.eq(settled & self.result.valid),
                self.result.ready.eq(settled & self.o.ready),
                last.eq(self.result.p.last),
            ]
        with m.Else():
            m.d.comb += [self._byte.eq(self._report_byte), last.eq(self._position == REPORT_BYTES - 1)]
        return last
