"""Weights from a memory outside, in the order of their use, into a ring of the weight memory."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.enum import Enum
from amaranth.lib.wiring import Component, In, Out

from ..primitives import address_width
from .parameters import EngineParameters
from .weight_port import CHECK_BYTES, COUNT_BYTES, TILE_WORDS, weight_port

_CRC = 0xEDB88320  # IEEE 802.3, as zlib's


class _State(Enum, shape=2):
    IDLE = 0
    COUNT = 1
    WORDS = 2
    CHECK = 3


class WeightLoader(Component):
    """Fills the weight memory from ``first`` to its end, and again from ``first``, as long as there is room.

    A frame's ``begin`` restarts the memory and empties the ring. A word is in the memory 1 cycle after its last beat,
    and in ``ahead`` 2 cycles after it. A check that is wrong sets ``bad`` until the next ``begin``.

    Cycles: at most a beat each; of a word only the first waits for room.
    Cost: a word, the check, counters of words.

    Members:
        begin: ``In(1)``; first: ``In``, of the ring, from ``begin`` on.
        port: ``Out`` of :func:`~mbconv.hdl.engine.weight_port.weight_port`.
        write: ``Out(1)``; address, data: ``Out``, of the weight memory.
        take: ``In(1)``, a word is used for the first time; free: ``In(1)``, ``freed``: ``In``, so many words are used
            no more, and may be written 1 cycle later.
        ahead: ``Out``, words that are there and were not taken.
        ring: ``Out``, the first word of the ring; busy, bad: ``Out(1)``.
    """

    def __init__(self, parameters: EngineParameters):
        self.parameters = p = parameters
        address = address_width(p.weight_words)
        super().__init__(
            {
                "begin": In(1),
                "first": In(address),
                "port": Out(weight_port(p.port_bytes)),
                "write": Out(1),
                "address": Out(address),
                "data": Out(p.channels * p.weight_bits),
                "take": In(1),
                "free": In(1),
                "freed": In(address + 1),
                "ahead": Out(address + 1),
                "ring": Out(address),
                "busy": Out(1),
                "bad": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        p = self.parameters
        beat, beats = self.port.words.payload, p.word_beats
        state = Signal(_State)
        taken = Signal()
        part = Signal(address_width(max(beats, 4)))  # beats of a word, a count or a check, before this one
        held = Signal(beats * len(beat), reset_less=True)
        left = Signal(8 * COUNT_BYTES)  # words of the frame that are not there yet
        tile = Signal(range(TILE_WORDS))
        space = Signal(address_width(p.weight_words) + 1)
        first = Signal(len(self.first))
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
            self.port.words.ready.eq((state != _State.IDLE) & ((state != _State.WORDS) | (part != 0) | (space != 0))),
            taken.eq(self.port.words.valid & self.port.words.ready),
            self.ring.eq(first),
            self.busy.eq(state != _State.IDLE),
            self.data.eq(held),
            last_part["word"].eq(part == beats - 1),
            last_part["count"].eq(part == COUNT_BYTES // p.port_bytes - 1),
            last_part["check"].eq(part == CHECK_BYTES // p.port_bytes - 1),
        ]
        begun, written = Signal(), Signal()  # a word
        m.d.comb += [
            begun.eq(taken & (state == _State.WORDS) & (part == 0)),
            written.eq(taken & (state == _State.WORDS) & last_part["word"]),
        ]
        m.d.sync += [
            self.write.eq(written),
            space.eq(space - begun + Mux(self.free, self.freed, 0)),
            self.ahead.eq(self.ahead + self.write - self.take),
        ]
        with m.If(written):
            m.d.sync += [
                self.address.eq(pointer),
                pointer.eq(Mux(pointer == p.weight_words - 1, first, pointer + 1)),
            ]
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
                    with m.If(beat != ~check[: len(beat)]):
                        m.d.sync += self.bad.eq(1)
                    with m.If(last_part["check"]):
                        m.d.sync += [
                            part.eq(0),
                            check.eq(0xFFFFFFFF),
                            state.eq(Mux(left == 0, _State.IDLE, _State.WORDS)),
                        ]
        with m.If(self.begin):
            m.d.sync += [
                state.eq(_State.COUNT),
                part.eq(0),
                tile.eq(0),
                check.eq(0xFFFFFFFF),
                first.eq(self.first),
                pointer.eq(self.first),
                space.eq(p.weight_words - self.first),
                self.ahead.eq(0),
                self.write.eq(0),
                self.bad.eq(0),
            ]
        return m
