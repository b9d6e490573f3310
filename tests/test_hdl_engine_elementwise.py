"""The engine's tables: sums, products and greatest elements, exact whatever comes when, at every pace."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Const, Module, Signal, signed
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, connect, flipped
from circuits import OTHER
from elements import bounds, random_elements
from test_hdl_engine import TINY

from mbconv.hdl.counting import delayed
from mbconv.hdl.elementwise import Elementwise as Pipeline
from mbconv.hdl.engine.elementwise import Elementwise
from mbconv.hdl.engine.engine import Engine
from mbconv.hdl.engine.parameters import OPERAND_BITS, EngineParameters
from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.layouts import ArrayLayout
from mbconv.hdl.operand import Operand
from mbconv.hdl.verilog import to_verilog
from mbconv.sim.circuits.testbench import Case, Expected, Periodic, run_cases, tensor_beats

FRAMES, BEATS = 3, 40
KINDS = {
    "one operand": ((), lambda first, second: first),
    "sum": (("binary",), np.add),
    "product": (("binary", "product"), np.multiply),
    "greatest": (("binary", "greatest"), np.maximum),
}
PARAMETERS = {
    "no products": replace(TINY, requantizers=2),
    "products": replace(TINY, requantizers=2, tables=2, products=1),
    "products of narrow entries": replace(TINY, channels=6, requantizers=3, table_bits=OPERAND_BITS, products=1),
}


class LookUps(Pipeline):
    """The circuit behind streams of operands, which are looked up once ``contents``, a stream, has filled all tables;
    the pairs that are not looked up go on being written."""

    def __init__(self, parameters: EngineParameters, family: Family, kind: str, pair: int):
        self.circuit, self.kind, self.pair = Elementwise(parameters, family), kind, pair
        lanes = parameters.requantizers
        operands = {name: Operand(signed(8), lanes) for name in ("first", "second")}
        self.contents = Signature(ArrayLayout(signed(parameters.table_bits), 2)).flip().create()
        self.written = Signal()
        # Of the circuit's latency a cycle is that of the word before it.
        super().__init__(operands, signed(parameters.pair_bits), lanes, self.circuit.latency - 1, family=family)

    def _idle(self, m, take):
        return self.written

    def datapath(self, m, taken, first, second):
        m.submodules.circuit = circuit = self.circuit
        words = 256 * circuit.parameters.tables
        address = Signal(range(words))
        looked_up = (address >= 256 * self.pair) & (address < 256 * (self.pair + 1))
        m.d.comb += [
            self.contents.ready.eq(1),
            circuit.write_address.eq(address),
            circuit.write_first.eq(self.contents.valid & ~(self.written & looked_up)),
            circuit.write_second.eq(circuit.write_first),
            circuit.write_data.as_value().eq(self.contents.payload.as_value()),
        ]
        with m.If(self.contents.valid):
            last = address == words - 1
            m.d.sync += address.eq(address + 1)
            with m.If(last):
                m.d.sync += [address.eq(0), self.written.eq(1)]
        later = delayed(m, second.as_value(), 1, "second")  # its word comes a cycle after the first's
        for lane in range(self.lanes):
            m.d.comb += [
                circuit.elements[0][lane].eq(first[lane]),
                circuit.elements[1][lane].eq(later.word_select(lane, 8)),
            ]
        m.d.comb += circuit.table.eq(self.pair)
        m.d.comb += [getattr(circuit, name).eq(Const(1)) for name in KINDS[self.kind][0]]
        return list(circuit.sums)


class Paced(Component):
    """All of it with streams as its only ports. Between beats elements are whatever the sources' payloads are."""

    def __init__(self, look_ups: LookUps):
        self.look_ups = look_ups
        super().__init__({**look_ups.signature.members, "contents": In(look_ups.contents.signature.flip())})

    def elaborate(self, platform):
        m = Module()
        m.submodules.look_ups = self.look_ups
        for name in ("first", "second", "contents"):
            connect(m, flipped(getattr(self, name)), getattr(self.look_ups, name))
        connect(m, self.look_ups.o, flipped(self.o))
        return m


def case(name: str, family: Family, kind: str) -> Case:
    parameters = PARAMETERS[name]
    pair = parameters.tables - 1
    rng = np.random.default_rng(7)
    shape = signed(OPERAND_BITS if kind == "product" else parameters.table_bits)
    tables = random_elements(rng, shape, (2, 256 * parameters.tables))
    low, high = bounds(shape)
    # all four products of the ends of the range are reached
    tables[:, 256 * pair : 256 * pair + 2] = low, high
    x = random_elements(rng, signed(8), (2, FRAMES * BEATS, parameters.requantizers))
    x[0, :4, 0], x[1, :4, 0] = (-128, -128, -127, -127), (-128, -127, -128, -127)
    first, second = (table[256 * pair + 128 + operand] for table, operand in zip(tables, x, strict=True))
    circuit = LookUps(parameters, family, kind, pair)
    products = family.multiplier_latency if parameters.products else 0
    assert circuit.circuit.latency == 3 + family.memory_latency + products
    return Case(
        f"{name}, {kind}, {family.name}",
        Paced(circuit),
        {
            "first": tensor_beats(x[0], parameters.requantizers)[0],
            "second": tensor_beats(x[1], parameters.requantizers)[0],
            "contents": Periodic(tables.T.copy()),
        },
        {"o": Expected.tensor(KINDS[kind][1](first, second), parameters.requantizers)},
        FRAMES,
        interval=BEATS,
        latency=BEATS - 1 + circuit.latency,
    )


def test_every_kind_at_every_pace():
    run_cases(
        [
            case(name, family, kind)
            for name, parameters in PARAMETERS.items()
            for kind in KINDS
            if parameters.products or kind in ("one operand", "sum")
            for family in (GENERIC, OTHER)
        ]
    )


@pytest.mark.parametrize("products", [0, 1])
def test_the_multipliers_are_those_of_the_verilog(products):
    parameters = EngineParameters(map_words=64, weight_words=64, constant_words=64, requantizers=2, products=products)
    engine = Engine(parameters)
    made = to_verilog(engine, "top")
    assert engine.multipliers == sum(cell.count for cell in made.multipliers) == 16 + 2 * products
    assert [cell.count for cell in made.multipliers if not cell.of_array] == [2] * products
