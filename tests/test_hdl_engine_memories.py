"""The engine's memories by themselves, in Amaranth's simulator: what fills them, in whatever cycles words come."""

import random
from dataclasses import replace

import numpy as np
import pytest
from test_hdl_engine import TINY, simulated

from mbconv.generators.constants.weights import pack_words
from mbconv.generators.engine.overlap import Part
from mbconv.generators.engine.streams import memory_bytes
from mbconv.hdl.engine.constant_memory import ConstantMemory
from mbconv.hdl.engine.instruction import Operation, instruction_layout, instruction_rows, pack_instruction, unused_bits
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.hdl.engine.program_memory import ProgramMemory
from mbconv.hdl.engine.upload import Section, Upload
from mbconv.hdl.engine.weight_loader import WeightLoader
from mbconv.hdl.engine.weight_port import TILE_WORDS
from mbconv.hdl.engine.weight_ring import WeightRing

SHARED = replace(TINY, port_bytes=1, weight_words=20)
APART = replace(TINY, port_bytes=2, weight_words=20, weight_bits=9)
FIRST = 7  # of the ring


@pytest.mark.parametrize("seed", range(3))
def test_a_ring_counts_its_words_and_places(seed):
    circuit, chosen = WeightRing(SHARED), random.Random(seed)
    places = SHARED.weight_words - FIRST

    async def testbench(ctx):
        ctx.set(circuit.begin, 1)
        ctx.set(circuit.first, FIRST)
        await ctx.tick()
        ctx.set(circuit.begin, 0)
        ctx.set(circuit.first, 0)
        free, ahead, coming, used = places, 0, 0, 0
        seen = set()
        for cycle in range(800):
            slow = 0.1 if cycle // 200 % 2 else 0.8  # whoever uses words
            assert ctx.get(circuit.ring) == FIRST
            assert (ctx.get(circuit.room), ctx.get(circuit.ahead)) == (free > 0, ahead)
            seen.add((free, ahead))
            events = {
                "begun": free > 0 and not coming and chosen.random() < 0.6,
                "written": coming and chosen.random() < 0.7,
                "take": ahead > 0 and chosen.random() < slow,
                "free": used > 0 and chosen.random() < slow,
            }
            for name, happens in events.items():
                ctx.set(getattr(circuit, name), bool(happens))
            free += bool(events["free"]) - bool(events["begun"])
            coming += bool(events["begun"]) - bool(events["written"])
            ahead += bool(events["written"]) - bool(events["take"])
            used += bool(events["take"]) - bool(events["free"])
            await ctx.tick()
        assert {0, places} <= {one for one, _ in seen}  # it was full and empty

    simulated(circuit, testbench)


def streamed(circuit, data: bytes, words: int, seed: int) -> tuple[list[int], bool, int]:
    """What is found in the weight memory by one who takes ``words`` words as they come and frees them later, whether
    the stream was damaged, and how many beats were taken."""
    parameters, chosen = circuit.parameters, random.Random(seed)
    size, memory = parameters.port_bytes, [None] * parameters.weight_words
    beats = [int.from_bytes(data[place : place + size], "little") for place in range(0, len(data), size)]
    found, result = [], []

    async def testbench(ctx):
        def written():
            if isinstance(circuit, Upload):
                return ctx.get(circuit.write) >> Section.WEIGHTS & 1, ctx.get(circuit.word(Section.WEIGHTS))
            return ctx.get(circuit.write), ctx.get(circuit.data)

        ctx.set(circuit.begin, 1)
        ctx.set(circuit.first, FIRST)
        await ctx.tick()
        ctx.set(circuit.begin, 0)
        ctx.set(circuit.first, 0)
        pointer, place, taken, kept, rest = FIRST, 0, 0, [], 0
        while rest < 60:  # cycles in which nothing comes any more
            rest = 0 if ctx.get(circuit.streaming) or ctx.get(circuit.ahead) else rest + 1
            offered = place < len(beats) and chosen.random() < 0.7
            ctx.set(circuit.port.words.valid, offered)
            ctx.set(circuit.port.words.payload, beats[place] if offered else 0)
            take = len(found) < words and ctx.get(circuit.ahead) > 0 and chosen.random() < 0.5
            free = len(kept) > 0 and chosen.random() < 0.3
            if take:
                found.append(memory[pointer])
                kept.append(pointer)
                pointer = FIRST if pointer == parameters.weight_words - 1 else pointer + 1
            if free:
                assert memory[kept.pop(0)] is not None
            ctx.set(circuit.take, take)
            ctx.set(circuit.free, free)
            if offered and ctx.get(circuit.port.words.ready):
                place, taken = place + 1, taken + 1
            write, word = written()
            if write:
                address = ctx.get(circuit.address)
                assert address >= FIRST and address not in kept  # one that is still used
                memory[address] = word
            await ctx.tick()
        ctx.set(circuit.take, 0)
        result.append((bool(ctx.get(circuit.damaged)), taken))
        assert not ctx.get(circuit.streaming)
        assert ctx.get(circuit.checked)

    simulated(circuit, testbench)
    return found, *result[0]


def contents(parameters: EngineParameters, count: int, number: int = 0) -> tuple[list[int], bytes]:
    """Random words of weights, and the memory that holds them."""
    limit = 1 << parameters.weight_bits - 1
    weights = np.random.default_rng(count).integers(-limit, limit, (count, parameters.channels))
    return pack_words(weights, parameters.weight_bits), memory_bytes(parameters, {Part.BOTH: weights}, number)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("made", [lambda: Upload(SHARED), lambda: WeightLoader(APART)], ids=["upload", "loader"])
@pytest.mark.parametrize("count", [1, TILE_WORDS, 2 * TILE_WORDS + 9])
def test_weights_stream_through_a_ring(made, count, seed):
    """Whatever the cycles in which beats come and words are used; all that is there is read, and no more."""
    words, data = contents(made().parameters, count)
    found, damaged, taken = streamed(made(), data + bytes(16), count, seed)
    assert (found, damaged) == (words, False)
    assert taken * made().parameters.port_bytes == len(data)


@pytest.mark.parametrize("made", [lambda: Upload(SHARED), lambda: WeightLoader(APART)], ids=["upload", "loader"])
@pytest.mark.parametrize("place", [4, 150, -1])
def test_a_flipped_bit_of_a_stream_is_found(made, place):
    """In a tile's words or check; nothing is read behind that tile."""
    count = 2 * TILE_WORDS + 9
    words, data = contents(made().parameters, count)
    wrong = bytearray(data)
    wrong[place] ^= 4
    found, damaged, taken = streamed(made(), bytes(wrong), count, 1)
    assert damaged
    assert (taken * made().parameters.port_bytes < len(data)) == (place != -1)
    assert len(found) < len(words) or place == -1


def test_another_programs_stream_is_found():
    _, data = contents(APART, 9, number=5)
    assert streamed(WeightLoader(APART), data, 9, 1)[1]


def keep(ctx, circuit, memories: list[dict[int, int]]) -> None:
    """What the memories of a circuit take in this cycle."""
    for ram, memory in zip(circuit.rams, memories, strict=True):
        if ctx.get(ram.w_en):
            memory[ctx.get(ram.w_addr)] = ctx.get(ram.w_data)


@pytest.mark.parametrize("seed", range(3))
def test_constants_take_their_turns(seed):
    """Those that stay lie behind those of two groups, which the groups take in turn; words come when they come."""
    circuit, chosen = ConstantMemory(SHARED), random.Random(seed)
    p = SHARED
    slices, turn, memories = p.constant_slices, p.constants_in_turn, [{} for _ in circuit.rams]

    async def testbench(ctx):
        async def put(words):
            for word in words:
                while chosen.random() < 0.5:
                    ctx.set(circuit.write, 0)
                    await ctx.tick()
                ctx.set(circuit.write, 1)
                ctx.set(circuit.word, word)
                keep(ctx, circuit, memories)
                await ctx.tick()
            ctx.set(circuit.write, 0)

        def read(address):
            return sum(memory[address] << len(circuit.word) * n for n, memory in enumerate(memories))

        def made(count):
            size = len(circuit.word)
            return [[chosen.getrandbits(size) for _ in range(slices)] for _ in range(count)]

        def whole(parts):
            return sum(part << len(circuit.word) * n for n, part in enumerate(parts)) & (1 << width) - 1

        width = p.requantizers * p.channel_bits
        stay = made(5)
        ctx.set(circuit.stay, 1)
        await ctx.tick()
        ctx.set(circuit.stay, 0)
        await put([part for parts in stay for part in parts])
        ctx.set(circuit.start, 1)
        await ctx.tick()
        ctx.set(circuit.start, 0)
        for group in range(5):
            parts = made(p.beats)
            await put([part for one in parts for part in one])
            first = group % 2 * p.beats
            for place, one in enumerate(parts):
                assert read(first + place) == whole(one)
        for place, parts in enumerate(stay):
            assert read(turn + place) == whole(parts)

    simulated(circuit, testbench)


@pytest.mark.parametrize("standing", [0, 1, 3, 4, 5])
def test_the_rows_of_a_program(standing):
    """An instruction is what its rows hold, the last of which is full."""
    p = replace(TINY, standing_words=standing)
    circuit, layout = ProgramMemory(p), instruction_layout(p)
    values = [{"operation": Operation.DENSE, "source": n, "weights": 77 + n, "constants": 33} for n in range(3)]
    words = [word for one in values for word in pack_instruction(p, one)]
    memories: list[dict[int, int]] = [{} for _ in circuit.rams]

    async def testbench(ctx):
        ctx.set(circuit.write, 1)
        for address, word in enumerate(words):
            ctx.set(circuit.address, address)
            ctx.set(circuit.word, word)
            keep(ctx, circuit, memories)
            await ctx.tick()

    simulated(circuit, testbench)
    rows = instruction_rows(p)
    for number, wanted in enumerate(values):
        row = [memory[number * rows + place] for place in range(rows) for memory in memories]
        held = sum(word << 32 * place for place, word in enumerate(row))
        view = layout.from_bits((held >> unused_bits(p)) & (1 << layout.size) - 1)
        assert {name: view[name] for name in wanted} == wanted
