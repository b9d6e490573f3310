"""Addition and lookup tables as streams: data and cycles exact, for constants of real operators and for random ones."""

import itertools

import numpy as np
import pytest
from amaranth.hdl import Shape, signed, unsigned
from elements import bounds, random_elements

from mbconv.generators.constants.add_tables import add_constants
from mbconv.generators.graph.graph import INT8, UINT8, Activation, Element, Graph, Tensor
from mbconv.generators.operators.add import Add
from mbconv.hdl.add import Add as AddCircuit
from mbconv.hdl.add_constants import AddConstants
from mbconv.hdl.lookup import Lookup
from mbconv.hdl.operand import Operand
from mbconv.hdl.value_tables import ValueTables, linear, signed_digits
from mbconv.sim.circuits.testbench import Case, Expected, run_cases, tensor_beats

FRAMES = 3
PIXELS = 12


def generated(element, scales, zero_points=(0, 0, 0), activation=Activation.NONE, numbers="affine") -> AddConstants:
    """The constants of a graph's ADD."""
    tensors = {
        index: Tensor(index, f"t{index}", (1, 1, 1, 1), element, float(np.float32(scale)), zero)
        for index, (scale, zero) in enumerate(zip(scales, zero_points, strict=True))
    }
    op = Add(0, (0, 1), (2,), activation=activation, numbers=numbers)
    return add_constants(op, Graph("add", tensors, (op,), (0, 1), (2,)))


def random_constants(seed: int, shapes: tuple[Shape, Shape, Shape], *, lines: bool, rounds: bool) -> AddConstants:
    """Tables of no operator, that fill the output's range and more."""
    rng = np.random.default_rng(seed)
    low, high = bounds(shapes[2])
    shift = int(rng.integers(0, 7))
    tables = []
    for shape in shapes[:2]:
        values = np.arange(1 << shape.width)
        reach = (high - low) << shift
        if lines:
            tables.append(int(rng.integers(-reach, reach)) // len(values) * values + int(rng.integers(-9, 9)))
        else:
            tables.append(rng.integers(low << shift, (high << shift) + 1, len(values)))
    constant = int(rng.integers(0, 1 << shift))
    return AddConstants(
        *map(tuple, tables),
        positive=constant,
        negative=constant - 3 if rounds else constant,
        shift=shift,
        zero_point=int(rng.integers(-5, 6)),
        minimum=low + int(rng.integers(0, 3)),
        maximum=high - int(rng.integers(0, 3)),
    )


def add_circuit(shapes, lanes: int, constants: AddConstants, **options) -> AddCircuit:
    """An addition of two streams of equal shape."""
    return AddCircuit(Operand(shapes[0], lanes), Operand(shapes[1], lanes), shapes[2], constants, **options)


def add_case(
    name: str,
    channels: int,
    lanes: int,
    constants: AddConstants,
    shapes: tuple[Shape, Shape, Shape],
    *,
    latency: int,
    queue_depth: int | None = None,
) -> Case:
    rng = np.random.default_rng([channels, lanes])
    x1, x2 = (random_elements(rng, shape, (FRAMES * PIXELS, channels)) for shape in shapes[:2])
    expected = constants.compute(x1, x2, signed=(shapes[0].signed, shapes[1].signed))
    circuit = add_circuit(shapes, lanes, constants, queue_depth=queue_depth, name=f"add_{name.replace(' ', '_')}")
    assert circuit.latency == latency
    beats = [tensor_beats(x, lanes, random_elements(rng, s, (97,)))[0] for x, s in zip((x1, x2), shapes, strict=False)]
    interval = PIXELS * -(-channels // lanes)
    return Case(
        f"add, {name}, {channels} channels, {lanes} lanes",
        circuit,
        {"first": beats[0], "second": beats[1]},
        {"o": Expected.tensor(expected, lanes)},
        FRAMES,
        interval=interval,
        latency=interval - 1 + latency,
    )


def add_cases() -> list[Case]:
    signed_bytes, unsigned_bytes = (signed(8),) * 3, (unsigned(8),) * 3
    real = generated(INT8, (0.46158937, 0.53400296, 0.65491039), (-3, 10, -3))
    assert not linear(real.first)
    lines = generated(INT8, (0.5, 0.5, 1.0))
    assert linear(lines.first)
    contradicting = generated(INT8, (2 / 3, 1.25, 4 / 7), (117, -58, 116))
    assert contradicting.positive != contradicting.negative
    odd = (signed(5), unsigned(3), signed(9))
    wide = (signed(16), signed(12), unsigned(16))
    return [
        add_case("tables", 9, 2, real, signed_bytes, latency=5),
        add_case("lines", 8, 4, lines, signed_bytes, latency=5),
        add_case("signed tables", 5, 1, contradicting, signed_bytes, latency=6),
        add_case(
            "uint8 with ReLU6",
            6,
            3,
            generated(UINT8, (0.031, 0.027, 6 / 255), (130, 120, 0), Activation.RELU6),
            unsigned_bytes,
            latency=5,
        ),
        add_case(
            "fixed point",
            7,
            8,
            generated(Element(6, True), (0.25, 0.0625, 0.5), numbers="fixed"),
            (signed(6),) * 3,
            latency=5,
        ),
        add_case("one channel", 1, 1, lines, signed_bytes, latency=5),
        add_case("long queue", 4, 2, lines, signed_bytes, latency=8, queue_depth=64),
        add_case("random tables", 6, 2, random_constants(1, odd, lines=False, rounds=True), odd, latency=6),
        add_case("random lines", 5, 3, random_constants(2, wide, lines=True, rounds=False), wide, latency=5),
        add_case("other random lines", 4, 1, random_constants(3, odd, lines=True, rounds=True), odd, latency=6),
    ]


def lookup_case(
    name: str,
    shapes: tuple[Shape, Shape],
    channels: int,
    lanes: int,
    *,
    own: bool = False,
    queue_depth: int | None = None,
) -> Case:
    rng = np.random.default_rng([channels, lanes, shapes[0].width])
    tables = random_elements(rng, shapes[1], (channels if own else 1, 1 << shapes[0].width))
    x = random_elements(rng, shapes[0], (FRAMES * PIXELS, channels))
    expected = tables[np.arange(channels) if own else 0, x - bounds(shapes[0])[0]]
    circuit = Lookup(*shapes, channels, lanes, tables, queue_depth=queue_depth, name=f"lookup_{name.replace(' ', '_')}")
    assert circuit.latency == (3 if queue_depth is None else 6)
    beats, _ = tensor_beats(x, lanes, random_elements(rng, shapes[0], (97,)))
    interval = PIXELS * circuit.cycles_per_pixel
    return Case(
        f"lookup, {name}",
        circuit,
        {"i": beats},
        {"o": Expected.tensor(expected, lanes)},
        FRAMES,
        interval=interval,
        latency=interval - 1 + circuit.latency,
    )


def lookup_cases() -> list[Case]:
    return [
        lookup_case("uint8 to int8", (unsigned(8), signed(8)), 3, 1),
        lookup_case("int8 to uint8", (signed(8), unsigned(8)), 5, 4),
        lookup_case("own tables", (signed(8), signed(8)), 5, 2, own=True),
        lookup_case("own tables of one group", (signed(8), signed(8)), 3, 3, own=True),
        lookup_case("own tables one by one", (unsigned(4), signed(11)), 6, 1, own=True),
        lookup_case("few bits", (signed(2), unsigned(3)), 7, 8),
        lookup_case("many bits", (signed(10), signed(16)), 4, 2),
        lookup_case("long queue", (signed(8), signed(8)), 4, 2, queue_depth=40),
    ]


def test_elementwise():
    run_cases([*add_cases(), *lookup_cases()])


def test_add_cost():
    shapes = (signed(8), signed(8), signed(8))
    table = random_constants(5, shapes, lines=False, rounds=False)
    circuit = add_circuit(shapes, 2, table)
    bits = circuit.first_table.bits + circuit.second_table.bits
    assert circuit.memory_bits == 2 * 256 * bits + 2 * 8 * circuit.queue_depth
    assert circuit.multipliers == 0
    lines = add_circuit(shapes, 2, generated(INT8, (0.5, 0.25, 1.0)))
    assert lines.memory_bits == 2 * 8 * lines.queue_depth


@pytest.mark.parametrize("seed", range(5))
def test_signed_digits(seed):
    for factor in np.random.default_rng(seed).integers(-(1 << 40), 1 << 40, 100).tolist():
        digits = signed_digits(factor)
        assert sum(sign << exponent if sign > 0 else -(1 << exponent) for exponent, sign in digits) == factor
        exponents = [exponent for exponent, _ in digits]
        assert all(b - a > 1 for a, b in itertools.pairwise(exponents))  # no two are neighbours


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"first": (1, 2, 3)}, "2\\^bits entries for 2 to 16 bits, not 3"),
        ({"second": (1 << 50, 0, 0, 0)}, "table second holds an entry of more than 48 bits"),
        ({"shift": 49}, "shift is 0 to 48, not 49"),
        ({"minimum": 5, "maximum": 4}, "limits 5..4"),
    ],
)
def test_constants_refuse(change, message):
    good = {
        "first": (0,) * 256,
        "second": (0,) * 256,
        "positive": 0,
        "negative": 0,
        "shift": 3,
        "zero_point": 0,
        "minimum": -128,
        "maximum": 127,
    }
    with pytest.raises(ValueError, match=message):
        AddConstants(**(good | change))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda c: add_circuit((8, 7, signed(8)), 1, c), "unsigned\\(7\\) has 128 values, the table add_second 256"),
        (lambda c: add_circuit((8, 8, signed(7)), 1, c), "limits -128..127 are no part of the output's range -64..63"),
        (lambda c: add_circuit((8, 8, signed(8)), 0, c), "not 0"),
        (lambda c: add_circuit((8, 8, signed(8)), 1, c, queue_depth=0), "0 beats"),
        (lambda c: ValueTables(unsigned(17), c.first, 1, "t"), "2 to 16 bits, not 17"),
        (lambda c: Lookup(signed(8), signed(8), 0, 1, [c.first]), "not 0 and 1"),
        (lambda c: Lookup(unsigned(1), signed(8), 1, 1, [[0, 1]]), "2 to 16 bits, not 1"),
        (
            lambda c: Lookup(signed(8), signed(8), 3, 1, [c.first] * 2),
            r"tables \[1 or 3\]\[256\] are needed, not \[2, 256\]",
        ),
        (lambda c: Lookup(signed(8), signed(4), 1, 1, [range(256)]), "entries 0..255 exceed the output's range -8..7"),
    ],
)
def test_circuits_refuse(make, message):
    constants = generated(INT8, (0.5, 0.5, 1.0))
    with pytest.raises(ValueError, match=message):
        make(constants)
