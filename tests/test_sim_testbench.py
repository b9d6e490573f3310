"""The test bench finds what it claims to: each check is shown failing on a circuit that is wrong in that one way."""

import re

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.lib.data import ArrayLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out

from mbconv.sim.circuits.testbench import Case, CircuitFailure, Expected, Payloads, run_cases

SHAPE = ArrayLayout(signed(8), 2)


class Register(Component):
    """A stream register: one beat, full throughput, latency 1; or one that is wrong in a chosen way."""

    def __init__(self, fault: str = ""):
        self.fault = fault
        super().__init__({"i": In(Signature(SHAPE)), "o": Out(Signature(SHAPE))})

    def elaborate(self, platform) -> Module:
        m = Module()
        payload = Signal(SHAPE)
        valid = Signal()
        stalled = Signal()
        tick = Signal()
        free = ~valid | self.o.ready
        m.d.comb += [self.o.valid.eq(valid), self.o.payload.eq(payload), self.i.ready.eq(free)]
        with m.If(free):
            m.d.sync += [valid.eq(self.i.valid), payload.eq(self.i.payload)]
        m.d.sync += stalled.eq(valid & ~self.o.ready)
        match self.fault:
            case "slow":  # every other cycle
                m.d.sync += tick.eq(~tick)
                m.d.comb += self.i.ready.eq(free & tick)
                with m.If(free & ~tick):
                    m.d.sync += valid.eq(0)
            case "drops under stall":
                m.d.comb += self.i.ready.eq(1)
            case "changes under stall":
                with m.If(stalled):
                    m.d.comb += self.o.payload.as_value().eq(payload.as_value() ^ 0x100)
            case "withdraws":
                m.d.comb += self.o.valid.eq(valid & ~stalled)
                m.d.comb += self.i.ready.eq(~valid | (self.o.ready & ~stalled))
                with m.If(stalled):
                    m.d.sync += [valid.eq(valid), payload.eq(payload)]
            case "valid waits for ready":
                m.d.comb += self.o.valid.eq(valid & self.o.ready)
            case "survives reset":
                kept = Signal(init=0, reset_less=True)
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += kept.eq(~kept)
                with m.If(kept & self.i.valid & free):
                    m.d.sync += payload.as_value().eq(self.i.payload.as_value() ^ 0x200)
            case "one beat too many":
                count = Signal(8)
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += count.eq(count + 1)
                with m.If((count == 12) & free & ~self.i.valid):
                    m.d.sync += [valid.eq(1), count.eq(0)]
            case "stops":
                count = Signal(8)
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += count.eq(count + 1)
                m.d.comb += self.i.ready.eq(free & (count != 7))
                with m.If(free & (count == 7)):
                    m.d.sync += valid.eq(0)
            case "inverts lane 1":
                m.d.comb += self.o.payload[1].eq(~payload[1])
        return m


BEATS = np.random.default_rng(5).integers(-128, 128, (12, 2))


def case(fault: str = "", name: str = "register", **changes) -> Case:
    return Case(name, Register(fault), **{"inputs": {"i": BEATS}, "outputs": {"o": BEATS}} | changes)


def test_right_circuits_pass():
    masked = Expected(BEATS * [1, 0], np.array([True, False]))
    cases = [
        case(interval=4, latency=4),
        case("slow", "slow", interval=8, latency=(7, 9)),
        case("inverts lane 1", "masked", outputs={"o": masked}),
        case(name="payloads", outputs={"o": Payloads(int(b) << 8 | int(a) for a, b in BEATS & 255)}),
    ]
    register, slow, *_ = run_cases(cases)
    assert (register.intervals, register.latencies) == ({"o": 4}, {"o": 4})
    assert slow.intervals == {"o": 8}


def test_wrong_circuits_fail_and_others_do_not():
    """All faults in one simulation, and each is blamed on its own case only."""
    faults = {
        "drops under stall": r"expected -?\d+, got -?\d+|stopped after \d+ of 12",
        "changes under stall": "its payload changed while it was stalled",
        "withdraws": "withdrew valid while it was stalled",
        "valid waits for ready": "stopped after 0 of 12 beats",
        # which of two depends on what it kept from before, at power on any bit
        "survives reset": r"frame 0, beat [01], element \[1\]: expected",
        "one beat too many": "gave more than its 12 beats",
        "stops": "only 7 of its 12 beats were taken",
        "inverts lane 1": r"port o, frame 0, beat 0, element \[1\]: expected -?\d+, got -?\d+, cycle 1 after reset "
        r"\(source always, sink always, seed 1\)",
    }
    cases = [case(fault, fault, patience=1000) for fault in faults] + [case()]
    with pytest.raises(CircuitFailure) as caught:
        run_cases(cases)
    failures = caught.value.failures
    assert set(failures) == set(faults)
    for fault, message in faults.items():
        assert any(re.search(message, text) for text in failures[fault]), f"{fault}: {failures[fault]}"
