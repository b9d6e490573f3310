"""The engine's circuits by themselves, in Amaranth's simulator: instructions, uploads, packets, constants."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.sim import Simulator

from mbconv.generators.engine.compile import compile_network
from mbconv.generators.engine.program_file import section_words, upload_bytes
from mbconv.hdl.engine.edges import FrameInput
from mbconv.hdl.engine.finish import Finish, multiplier_digits
from mbconv.hdl.engine.instruction import Operation, instruction_layout, instruction_words, pack_instruction
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.hdl.engine.upload import Section, Upload, section_bits
from mbconv.hdl.family import Family
from mbconv.hdl.requantize_format import wrap
from mbconv.models import load

TINY = EngineParameters(
    channels=4, pixels=1, requantizers=4, map_words=1024, weight_words=1024, constant_words=64, tables=1,
    instructions=12, side_bits=5, kernel_bits=3, group_bits=5,
)  # fmt: skip


def simulated(component, testbench) -> None:
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"channels": 1}, "channels is 2 to 256, not 1"),
        ({"requantizers": 3}, "requantizers = 3 does not divide channels = 8"),
        ({"pixels": 9}, "pixels = 9 are more than channels = 8"),
        ({"multiplier_bits": 31, "accumulator_bits": 32}, "products of more than 60 bits"),
        ({"table_bits": 26}, "table_bits = 26 need more than accumulator_bits = 26"),
        ({"map_ports": 1, "requantizers": 4}, "a word of results has to leave between the words of pixels = 2 pixels"),
        ({"spare_registers": 1, "port_bytes": 2}, "spare_registers = 1 is of engines with depthwise_rows of 2 or more"),
        ({"weight_bits": 7, "tables": 0}, "tables is 1 to 256, not 0; weight_bits is 8 to 9, not 7"),
    ],
)
def test_parameters_out_of_range_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        EngineParameters(**changed)


def test_parameters_as_text():
    parameters = EngineParameters(channels=16, pixels=9, requantizers=16)
    assert EngineParameters.parse(parameters.text) == parameters
    assert EngineParameters.parse(EngineParameters().text) == EngineParameters()
    assert parameters.identity != EngineParameters().identity
    for text, message in (
        ("lanes=3", "'lanes=3' is none of an engine's parameters"),
        ("channels", "'channels' is none"),
        ("channels=x", "channels is a whole number, not 'x'"),
        ("channels=8,channels=4", "channels is given twice"),
    ):
        with pytest.raises(ValueError, match=message):
            EngineParameters.parse(text)


def test_instructions_hold_their_fields():
    layout = instruction_layout(TINY)
    values = {"operation": Operation.TABLE, "zero_point": -300, "minimum": -128, "table": 1, "negative": -5, "left": 7}
    words = pack_instruction(TINY, values)
    assert len(words) == instruction_words(TINY)
    view = layout.const(dict.fromkeys(layout.members, 0)).as_value().value
    assert view == 0
    packed = sum(word << 32 * place for place, word in enumerate(words))
    offset = 0
    for name, shape in layout.members.items():
        value = packed >> offset & (1 << shape.width) - 1
        assert (wrap(value, shape.width) if shape.signed else value) == values.get(name, 0), name
        offset += shape.width
    with pytest.raises(ValueError, match=r"width is 0 to 31, not 32; an instruction .*|an instruction has no depth"):
        pack_instruction(TINY, {"width": 32, "depth": 1})


@pytest.fixture(scope="module")
def program():
    return compile_network(load("digits", (3, 5)), TINY)


def upload(packet: bytes) -> tuple[dict[Section, list[int]], bool, bool]:
    """What an upload writes, and whether it says loaded, failed."""
    circuit = Upload(TINY)
    written: dict[Section, list[int]] = {section: [] for section in Section}

    async def testbench(ctx):
        for place, byte in enumerate((*packet, 0, 0)):
            inside = place < len(packet)
            ctx.set(circuit.i.valid, inside)
            ctx.set(circuit.i.payload, {"data": byte, "last": place + 1 == len(packet)})
            await ctx.tick()
            for section in Section:
                if ctx.get(circuit.write) >> section & 1:
                    if not ctx.get(circuit.address):  # in a packet that is wrong a section may come twice
                        written[section].clear()
                    assert ctx.get(circuit.address) == len(written[section])
                    written[section].append(ctx.get(circuit.word(section)))
        found.append((bool(ctx.get(circuit.loaded)), bool(ctx.get(circuit.failed))))

    found: list[tuple[bool, bool]] = []
    simulated(circuit, testbench)
    return written, *found[0]


def test_an_upload_fills_the_memories(program):
    written, loaded, failed = upload(upload_bytes(program))
    assert (loaded, failed) == (True, False)
    for section, words in section_words(program).items():
        mask = (1 << section_bits(TINY)[section]) - 1
        assert [word & mask for word in written[section]] == words, section


@pytest.mark.parametrize("place", [0, 5, 9, 700, -1])
def test_a_flipped_bit_is_found(program, place):
    packet = bytearray(upload_bytes(program))
    packet[place] ^= 0x10
    _, loaded, failed = upload(bytes(packet))
    assert (loaded, failed) == (False, True)


def test_lost_and_more_bytes_are_found(program):
    packet = upload_bytes(program)
    for wrong in (packet[:-1], packet[:700] + packet[701:], packet + b"\0"):
        assert upload(wrong)[1:] == (False, True)


@pytest.mark.parametrize(
    ("sent", "bad", "words"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], False, [[1, 2, 3, 4], [5], [6, 7, 8, 9], [10]]),
        ([1, 2, 3, 4, 5, 6], True, [[1, 2, 3, 4], [5], [6, -9, -9, -9], [-9]]),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], True, [[1, 2, 3, 4], [5], [6, 7, 8, 9], [10]]),
        ([1, 2, 3, 4, 5, None, 7, 8, 9, 10], True, [[1, 2, 3, 4], [5], [-9, 7, 8, 9], [10]]),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, None], True, [[1, 2, 3, 4], [5], [6, 7, 8, 9], [-9]]),
        ([1, None, 3, 4, 5, 6, 7, 8, 9, 10, None], True, [[1, -9, 3, 4], [5], [6, 7, 8, 9], [10]]),
    ],
    ids=["right", "short", "long", "null", "null at the end", "null and long"],
)
def test_packets_of_frames(sent, bad, words):
    """Two pixels of five channels on words of four."""
    circuit = FrameInput(TINY)
    written, ends, word, kinds = [], [], [0] * 4, []

    async def testbench(ctx):
        fields = {"words": 1, "tail": 0, "pixels": 1, "destination": 40, "fill": -9}
        for name, value in fields.items():
            ctx.set(circuit.instruction[name], value)
        ctx.set(circuit.start, 1)
        ctx.set(circuit.clear, 1)
        await ctx.tick()
        ctx.set(circuit.start, 0)
        ctx.set(circuit.clear, 0)
        left = list(sent)
        for cycle in range(30):
            ctx.set(circuit.i.valid, bool(left))
            beat = left[0] if left else 0
            ctx.set(circuit.i.payload, {"data": beat or 0, "last": len(left) == 1, "null": beat is None})
            taken = left and ctx.get(circuit.i.ready)
            if ctx.get(circuit.put):
                beat = ctx.get(circuit.beat)
                word[ctx.get(circuit.position)] = wrap(beat, 8)
                if ctx.get(circuit.complete):
                    written.append((ctx.get(circuit.address), list(word)))
            await ctx.tick()
            if taken:
                left.pop(0)
            if ctx.get(circuit.finished):
                ends.append(cycle)
                kinds.append((ctx.get(circuit.was_short), ctx.get(circuit.was_long)))
        assert not left
        assert ctx.get(circuit.bad) == bad

    simulated(circuit, testbench)
    assert [address for address, _ in written] == [40, 41, 42, 43]
    for (_, word), wanted in zip(written, words, strict=True):
        assert word[: len(wanted)] == wanted
    assert ends == [max(10, len(sent)) - 1]
    assert kinds == [(bad and len(sent) <= 10, len(sent) > 10)]


@pytest.mark.parametrize(
    ("bits", "cycles", "adders"), [(20, 1, 1), (31, 1, 1), (31, 1, 8), (31, 2, 8), (31, 4, 1), (20, 3, 2), (16, 4, 8)]
)
def test_constants_are_data(bits, cycles, adders):
    """Random constants against numpy, from the whole range of each."""
    parameters = replace(
        TINY, requantizers=1, result_cycles=cycles, lane_bits=23, accumulator_bits=24, multiplier_bits=bits
    )
    circuit = Finish(parameters, Family("test", adders_between_registers=adders))
    rng = np.random.default_rng(9)
    count = 120
    accumulators = rng.integers(-(1 << 22), 1 << 22, count)
    words = {
        "bias": rng.integers(-(1 << 22), 1 << 22, count),
        "multiplier": rng.integers(0, 1 << bits, count),
        "shift": np.concatenate([rng.integers(16, 24, count // 2), rng.integers(0, 32, count // 2)]),
        "rounded": rng.integers(0, 2, count),
    }
    zero, low, high, positive, negative = -7, -100, 120, (1 << bits - 1), -(1 << bits - 1)
    s = accumulators + words["bias"]
    n = words["shift"] + parameters.least_shift
    p = s * words["multiplier"] + words["rounded"] * np.where(s < 0, negative, positive)
    wanted = np.clip(((p + (np.int64(1) << (n - 1))) >> n) + zero, low, high)
    assert len(set(wanted.tolist())) > 20
    found = []

    async def testbench(ctx):
        for name, value in (
            ("zero_point", zero),
            ("minimum", low),
            ("maximum", high),
            ("positive", positive),
            ("negative", negative),
        ):
            ctx.set(getattr(circuit, name), value)
        for cycle in range(count * cycles + circuit.latency):
            place, between = divmod(cycle, cycles)
            inside = place < count and not between
            ctx.set(circuit.valid, inside)
            if inside:
                ctx.set(circuit.accumulators[0], int(accumulators[place]))
                for name, values in words.items():
                    value = int(values[place])
                    stored = multiplier_digits(parameters, value) if name == "multiplier" else value
                    ctx.set(circuit.constants[0][name], stored)
            await ctx.tick()
            if ctx.get(circuit.o_valid):
                found.append(ctx.get(circuit.o[0]))

    simulated(circuit, testbench)
    assert found == wanted.tolist()
