"""Parts of circuits that have no streams, each between two streams of its own: values that come round, and between."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Module, Mux, Shape, Signal, signed, unsigned
from amaranth.lib.data import StructLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped
from circuits import OTHER
from elements import random_elements

from mbconv.hdl.counting import advance, delayed
from mbconv.hdl.credit_queue import CreditQueue, least_depth
from mbconv.hdl.family import GENERIC
from mbconv.hdl.interpolate import Interpolate
from mbconv.hdl.layouts import ArrayLayout
from mbconv.hdl.round_memory import RoundMemory
from mbconv.sim.circuits.testbench import Case, run_cases

WORD = unsigned(16)
ROUNDS = 4


class ComesRound(Component):
    """Each beat is added to five times what was left at its place, and leaves; the first round begins anew."""

    def __init__(self, places: int, family):
        self.memory = RoundMemory(WORD, places, family=family)
        self.pipeline = self.memory.latency + 1
        self.queue = CreditQueue(WORD, least_depth(self.pipeline, family), family=family)
        super().__init__({"i": In(Signature(WORD)), "o": Out(Signature(WORD))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory, m.submodules.queue = memory, queue = self.memory, self.queue
        take, taken = self.i.valid & self.i.ready, Signal(self.pipeline)
        place, again = Signal(range(memory.places)), Signal()
        with m.If(take):
            advance(m, place, memory.places)
            m.d.sync += again.eq(again | (place == memory.places - 1))
        m.d.sync += taken.eq(Cat(take, taken))
        late = memory.latency
        m.d.comb += [
            self.i.ready.eq(queue.room),
            queue.reserve.eq(take),
            memory.place.eq(place),
            memory.valid.eq(delayed(m, take, late, "take", reset=True)),
            memory.new.eq(
                delayed(m, self.i.payload, late, "x") + Mux(delayed(m, again, late, "again"), 5 * memory.old, 0)
            ),
            queue.push.eq(taken[-1]),
            queue.payload.eq(memory.newest),
        ]
        connect(m, queue.o, flipped(self.o))
        return m


def comes_round(places: int, family) -> Case:
    x = np.random.default_rng(places).integers(0, 1 << 16, (ROUNDS, places))
    left = np.zeros_like(x)
    for number in range(ROUNDS):
        left[number] = (x[number] + (5 * left[number - 1] if number else 0)) & 0xFFFF
    circuit = ComesRound(places, family)
    beats = {"i": x.ravel()}, {"o": left.ravel()}
    return Case(f"{places} places, {family.name}", circuit, *beats, ROUNDS, interval=places)


class Between(Component):
    """A beat holds two elements of each lane and a weight."""

    def __init__(self, shape: Shape, lanes: int, bits: int, family):
        self.part = Interpolate(shape, lanes, bits, family=family)
        elements = ArrayLayout(shape, lanes)
        self.beat = StructLayout({"newest": elements, "before": elements, "weight": unsigned(bits)})
        between = ArrayLayout(self.part.between, lanes)
        self.queue = CreditQueue(between, least_depth(max(self.part.latency, 1), family), family=family)
        super().__init__({"i": In(Signature(unsigned(self.beat.size))), "o": Out(Signature(between))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.part, m.submodules.queue = part, queue = self.part, self.queue
        beat = self.beat(self.i.payload)
        take = self.i.valid & self.i.ready
        m.d.comb += [
            self.i.ready.eq(queue.room),
            queue.reserve.eq(take),
            part.newest.eq(beat.newest),
            part.before.eq(beat.before),
            part.weight.eq(beat.weight),
            queue.push.eq(delayed(m, take, part.latency, "take", reset=True)),
            queue.payload.eq(part.o),
        ]
        connect(m, queue.o, flipped(self.o))
        return m


def between(shape: Shape, lanes: int, bits: int, family=GENERIC) -> Case:
    rng = np.random.default_rng([lanes, bits, shape.width])
    beats = 3 * 40
    newest, before = random_elements(rng, shape, (2, beats, lanes)).astype(object)
    weight = rng.integers(0, 1 << bits, beats).astype(object)
    mask = (1 << shape.width) - 1
    packed = [
        sum((int(value) & mask) << shape.width * place for place, value in enumerate((*new, *old)))
        | int(share) << 2 * shape.width * lanes
        for new, old, share in zip(newest, before, weight, strict=True)
    ]
    expected = newest * ((1 << bits) - weight)[:, None] + before * weight[:, None]
    name = f"{lanes} lanes of {shape}, {bits} bits, {family.name}"
    circuit = Between(shape, lanes, bits, family)
    return Case(name, circuit, {"i": np.array(packed, object)}, {"o": expected.astype(np.int64)}, 3, interval=40)


def test_parts():
    """In registers, in distributed RAM and in block RAM, with stalls and without."""
    kinds = [RoundMemory(WORD, places, family=GENERIC) for places in (3, 4, 33)]
    assert [(kind.in_registers, kind.latency) for kind in kinds] == [(True, 0), (False, 0), (False, 2)]
    run_cases(
        [
            *(comes_round(places, GENERIC) for places in (1, 3, 4, 7, 32, 33, 40)),
            *(comes_round(places, OTHER) for places in (2, 8, 9, 20)),
            between(signed(8), 2, 1),
            between(signed(8), 1, 0),
            between(unsigned(8), 3, 3),
            between(signed(10), 2, 2, OTHER),
        ]
    )


def test_refusals_and_costs():
    with pytest.raises(ValueError, match="at least one place"):
        RoundMemory(unsigned(4), 0)
    assert RoundMemory(unsigned(4), 40).memory_bits == 160
    assert Interpolate(signed(8), 2, 0).latency == 0
