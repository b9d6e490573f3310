"""Streams widened, narrowed and forked: every beat and every cycle exact."""

import numpy as np
import pytest
from amaranth.hdl import Module, Shape, signed, unsigned
from amaranth.lib.data import ArrayLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped
from elements import random_elements

from mbconv.hdl.fork import Fork
from mbconv.hdl.narrow import Narrow
from mbconv.hdl.widen import Widen
from mbconv.sim.circuits.testbench import Case, Expected, run_cases, tensor_beats

FRAMES = 3
PIXELS = 11


def lanes_case(kind: type, channels: int, lanes_in: int, lanes_out: int, shape: Shape = signed(8)) -> Case:
    rng = np.random.default_rng([channels, lanes_in, lanes_out])
    x = random_elements(rng, shape, (FRAMES * PIXELS, channels))
    given, _ = tensor_beats(x, lanes_in, random_elements(rng, shape, (97,)))
    circuit = kind(shape, channels, lanes_in, lanes_out)
    assert circuit.latency == (lanes_in != lanes_out)
    interval = PIXELS * circuit.cycles_per_pixel
    return Case(
        f"{kind.__name__}, {channels} channels, {lanes_in} to {lanes_out} lanes, {shape}",
        circuit,
        {"i": given},
        {"o": Expected.tensor(x, lanes_out)},
        FRAMES,
        interval=interval,
        latency=interval - 1 + circuit.latency,
    )


def fork_case(outputs: int) -> Case:
    shape = ArrayLayout(signed(8), 2)
    beats = np.random.default_rng(outputs).integers(-128, 128, (FRAMES * 50, 2))
    fork = Fork(shape, outputs)
    assert fork.latency == 0
    return Case(
        f"fork to {outputs}",
        fork,
        {"i": beats},
        {f"o{index}": beats for index in range(outputs)},
        FRAMES,
        interval=50,
        latency=49,
    )


class Rejoined(Component):
    """A fork whose outputs meet again without a queue between: a deadlock, if ``valid`` of one waited for the other."""

    i: In(Signature(unsigned(8)))
    o: Out(Signature(ArrayLayout(unsigned(8), 2)))

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.fork = fork = Fork(unsigned(8), 2)
        connect(m, flipped(self.i), fork.i)
        m.d.comb += [
            self.o.valid.eq(fork.o0.valid & fork.o1.valid),
            self.o.payload[0].eq(fork.o0.payload),
            self.o.payload[1].eq(fork.o1.payload),
            fork.o0.ready.eq(self.o.ready & fork.o1.valid),
            fork.o1.ready.eq(self.o.ready & fork.o0.valid),
        ]
        return m


def rejoined_case() -> Case:
    beats = np.random.default_rng(7).integers(0, 256, FRAMES * 50)
    return Case(
        "fork that joins again",
        Rejoined(),
        {"i": beats},
        {"o": np.stack([beats, beats], 1)},
        FRAMES,
        interval=50,
        latency=49,
    )


def test_widen_narrow_fork():
    pairs = [
        (1, 1, 1),
        (8, 1, 4),
        (7, 1, 4),
        (7, 2, 8),
        (9, 2, 4),
        (3, 1, 8),
        (6, 6, 6),
        (5, 4, 8),
        (1, 1, 2),
        (9, 2, 6),
    ]
    run_cases(
        [lanes_case(Widen, channels, few, many) for channels, few, many in pairs]
        + [lanes_case(Narrow, channels, many, few) for channels, few, many in pairs]
        + [lanes_case(Widen, 5, 1, 3, unsigned(2)), lanes_case(Narrow, 5, 3, 1, signed(16))]
        + [fork_case(outputs) for outputs in (1, 2, 3)]
        + [rejoined_case()]
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Widen(8, 4, 3, 4), "3 lanes do not divide the 4 lanes to be collected"),
        (lambda: Widen(8, 4, 4, 2), "4 lanes do not divide the 2"),
        (lambda: Widen(8, 0, 1, 4), "not 0"),
        (lambda: Narrow(8, 4, 4, 3), "3 lanes do not divide the 4 lanes to be given out"),
        (lambda: Narrow(8, 4, 2, 4), "4 lanes do not divide the 2"),
        (lambda: Narrow(8, 0, 4, 1), "not 0"),
        (lambda: Fork(8, 0), "at least one output, not 0"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()
