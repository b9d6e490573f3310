"""Weights from a memory outside, in the order of their use, into a ring of the weight memory."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.enum import Enum
from amaranth.lib.wiring import Component, In, Out

from ..primitives import address_width
from .parameters import EngineParameters
from .weight_port import CHECK_BYTES, COUNT_BYTES, PLACE_BITS, TILE_WORDS, weight_port
from .weight_ring import WeightRing

_CRC = 0xEDB88320  # IEEE 802.3, as zlib's


class _State(Enum, shape=2):
    IDLE = 0
    COUNT = 1
    WORDS = 2
    CHECK = 3


def stream_members(parameters: EngineParameters) -> dict:
    """What an engine has to do with weights from outside.

    begin: ``In(1)``, of a frame; first: ``In``, of the ring, with ``begin``; place: ``In``, in the memory, with
    ``begin``, where the engine has ``overlaps``.
    port: ``Out`` of :func:`~mbconv.hdl.engine.weight_port.weight_port`.
    take: ``In(1)``, a word is used for the first time; free: ``In(1)``, one is used no more, and may be written 1 cycle
    later; drop: ``In(1)``, none is used any more.
    ahead: ``Out``, words that are there and were not taken; ring: ``Out``, the first word of the ring.
    streaming: ``Out(1)``, words come; checked: ``Out(1)``, the checks of all words that were taken have come, without
    ``overlaps`` those of the whole frame; damaged: ``Out(1)``, a check was wrong since ``begin``.
    """
    address = address_width(parameters.weight_words)
    return {
        "begin": In(1),
        "first": In(address),
        **({"place": In(PLACE_BITS)} if parameters.overlaps else {}),
        "port": Out(weight_port(parameters.port_bytes, places=bool(parameters.overlaps))),
        "take": In(1),
        "free": In(1),
        "drop": In(1),
        "ahead": Out(address + 1),
        "ring": Out(address),
        "streaming": Out(1),
        "checked": Out(1),
        "damaged": Out(1),
    }


class WeightLoader(Component):
    """Fills the weight memory from ``first`` to its end, and again from ``first``, as long as there is room.

    A frame's ``begin`` restarts the memory and empties the ring. A word is in the memory 1 cycle after its last beat,
    and in ``ahead`` 2 cycles after it. A check that is wrong sets ``damaged`` until the next ``begin``, and nothing
    more is read: what follows it may be anything.

    Cycles: at most a beat each; of a word only the first waits for room.
    Cost: a word, the check, counters of words.

    Members: those of :func:`stream_members`, and
        number: ``In(32)``, of the program, which its checks hold too.
        write: ``Out(1)``; address, data: ``Out``, of the weight memory.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = p = parameters
        self.ring_counts = WeightRing(p)
        super().__init__(
            {
                **stream_members(p),
                "number": In(32),
                "write": Out(1),
                "address": Out(address_width(p.weight_words)),
                "data": Out(p.channels * p.weight_bits),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        p = self.parameters
        m.submodules.ring = ring = self.ring_counts
        beat, beats = self.port.words.payload, p.word_beats
        state = Signal(_State)
        taken = Signal()
        part = Signal(address_width(max(beats, 4)))  # beats of a word, a count or a check, before this one
        held = Signal(beats * len(beat), reset_less=True)
        left = Signal(8 * COUNT_BYTES)  # words of the frame that are not there yet
        tile = Signal(range(TILE_WORDS))
        pointer = Signal(len(self.first))
        check = Signal(32)
        following: Value = check ^ beat
        for bit in range(len(beat)):
            register = Signal(32, name=f"check_{bit}")
            m.d.comb += register.eq(following)
            following = (register >> 1) ^ (register[0].replicate(32) & _CRC)
        last_part = {name: Signal(name=f"last_of_{name}") for name in ("word", "count", "check")}
        m.d.comb += [
            self.port.restart.eq(self.begin),
            # a word that has begun has its place
            self.port.words.ready.eq(
                (state != _State.IDLE) & ((state != _State.WORDS) | (part != 0) | ring.room | self.drop)
            ),
            taken.eq(self.port.words.valid & self.port.words.ready),
            ring.begin.eq(self.begin),
            ring.first.eq(self.first),
            ring.written.eq(self.write),
            ring.take.eq(self.take),
            ring.free.eq(self.free),
            self.ahead.eq(ring.ahead),
            self.ring.eq(ring.ring),
            self.streaming.eq(state != _State.IDLE),
            self.data.eq(held),
            last_part["word"].eq(part == beats - 1),
            last_part["count"].eq(part == COUNT_BYTES // p.port_bytes - 1),
            last_part["check"].eq(part == CHECK_BYTES // p.port_bytes - 1),
        ]
        written = Signal()
        m.d.comb += [
            ring.begun.eq(taken & (state == _State.WORDS) & (part == 0)),
            written.eq(taken & (state == _State.WORDS) & last_part["word"]),
        ]
        m.d.sync += self.write.eq(written)
        with m.If(written):
            m.d.sync += self.address.eq(pointer)
        with m.If(self.write if beats > 1 else written):  # a cycle later, when no other word can have come
            m.d.sync += pointer.eq(Mux(pointer == p.weight_words - 1, ring.ring, pointer + 1))
        with m.If(taken):
            m.d.sync += part.eq(part + 1)
            with m.Switch(state):
                with m.Case(_State.COUNT):
                    # little endian: what came first has to go down by all that comes after
                    whole = Cat(left, beat)[len(beat) :]
                    m.d.sync += left.eq(whole)
                    with m.If(last_part["count"]):
                        m.d.sync += [part.eq(0), state.eq(Mux(whole == 0, _State.IDLE, _State.WORDS))]
                with m.Case(_State.WORDS):
                    m.d.sync += [held.eq(Cat(held, beat)[len(beat) :]), check.eq(following)]
                    with m.If(last_part["word"]):
                        m.d.sync += [part.eq(0), left.eq(left - 1), tile.eq(tile + 1)]
                        with m.If((left == 1) | (tile == TILE_WORDS - 1)):
                            m.d.sync += [state.eq(_State.CHECK), tile.eq(0)]
                with m.Case(_State.CHECK):
                    m.d.sync += check.eq(check >> len(beat))
                    number = self.number.word_select(part[:2], len(beat))
                    with m.If(beat != ~check[: len(beat)] ^ number):
                        m.d.sync += [self.damaged.eq(1), state.eq(_State.IDLE)]
                    with m.Elif(last_part["check"]):
                        m.d.sync += [
                            part.eq(0),
                            check.eq(0xFFFFFFFF),
                            state.eq(Mux(left == 0, _State.IDLE, _State.WORDS)),
                        ]
        self._check(m, written, taken & (state == _State.CHECK) & last_part["check"])
        with m.If(self.begin):
            m.d.sync += [
                state.eq(_State.COUNT),
                part.eq(0),
                tile.eq(0),
                check.eq(0xFFFFFFFF),
                pointer.eq(self.first),
                self.write.eq(0),
                self.damaged.eq(0),
            ]
        return m

    def _check(self, m: Module, written: Signal, complete: Value) -> None:
        """Which words are known to be right; ``complete``: a tile's check has come."""
        if not self.parameters.overlaps:
            m.d.comb += self.checked.eq(~self.streaming)
            return
        unchecked = Signal(range(TILE_WORDS + 1))
        with m.If(written):
            m.d.sync += unchecked.eq(unchecked + 1)
        with m.If(complete | self.begin):
            m.d.sync += unchecked.eq(0)
        m.d.comb += [
            self.port.place.eq(self.place),
            self.checked.eq(~self.streaming | (self.ahead + self.write >= unchecked)),
        ]
