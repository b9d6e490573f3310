"""Networks on a simulated engine: every element of every layer as the golden model has it, every cycle as counted."""

from dataclasses import replace

import pytest
from engine_networks import LOADING, MEMORY, PLAIN, SMALL, SPARE, faults, first_work, random_work

from mbconv.frames import random_frames
from mbconv.generators.engine.compile import compile_network
from mbconv.generators.engine.memory_timing import parse_engine
from mbconv.generators.engine.program_file import stream_bytes
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.hdl.family import Family
from mbconv.models import load
from mbconv.sim.circuits.testbench_case import ALWAYS, HALF
from mbconv.sim.engine.simulate import simulate_programs
from mbconv.training.tflite_writer import TfliteWriter


def digits(parameters=SMALL):
    return compile_network(load("digits", None), parameters, timing=MEMORY)


def test_networks_in_turn_on_one_engine(tmp_path):
    """A built-in network, random ones that nobody chose, and the first again: nothing of a program stays behind."""
    program = digits()
    frames = random_frames(program.graph, 2, 5)
    work = [(program, frames), *first_work(3, tmp_path), (program, frames)]
    results = simulate_programs(work)
    assert not faults(results)
    assert all(result.ok for result in results)


def test_stalls_and_a_reset_change_no_element(tmp_path):
    """Stalls at both ends and of the memory; before, a reset in the middle of an upload or of a frame."""
    program = digits()
    work = [(program, random_frames(program.graph, 1, 6)), *first_work(2, tmp_path, 1)]
    for seed, reset_after in ((1, 700), (2, 20_000)):
        assert not faults(simulate_programs(work, source=HALF, sink=HALF, seed=seed, reset_after=reset_after))


@pytest.mark.slow  # a simulator of its own
def test_other_lanes_and_latencies():
    """One pixel at a time, as many requantisations as channels; memories and multipliers without output registers."""
    parameters = EngineParameters(
        channels=8, pixels=1, requantizers=8, map_words=512, weight_words=512, constant_words=64, tables=1,
        instructions=12, lane_bits=22, accumulator_bits=22, multiplier_bits=24,
    )  # fmt: skip
    family = Family("quick", memory_latency=1, multiplier_latency=2)
    program = compile_network(load("digits", None), parameters, family)
    results = simulate_programs([(program, random_frames(program.graph, 2, 7))], family=family)
    assert not faults(results)


@pytest.mark.slow  # simulators of their own
@pytest.mark.parametrize(
    "changed",
    [{"pixels": 1}, {"requantizers": 1}, {"result_cycles": 2}, {"pixels": 2, "requantizers": 1, "result_cycles": 3}],
    ids=str,
)
def test_a_map_memory_of_one_port(tmp_path, changed):
    """Results are written between readings, whatever the lanes and the pace of the requantisation."""
    parameters = replace(PLAIN, map_ports=1, **changed)
    work = random_work(range(20, 44), tmp_path, parameters=parameters)
    assert len(work) > 5
    assert not faults(simulate_programs(work))
    assert not faults(simulate_programs(work, source=HALF, sink=HALF, seed=8))


@pytest.mark.slow
@pytest.mark.parametrize(
    "parameters",
    [SMALL, PLAIN, LOADING, SPARE, replace(SPARE, spare_registers=1)],
    ids=["banks", "plain", "loading", "spare", "fewer_spare"],
)
@pytest.mark.parametrize("first", range(20, 260, 40))
def test_hundreds_of_random_networks(tmp_path, first, parameters):
    """Many networks in turn on one engine, without stalls and with."""
    work = random_work(range(first, first + 40), tmp_path, parameters=parameters)
    assert len(work) >= 10
    assert not faults(simulate_programs(work, source=ALWAYS, sink=ALWAYS))
    assert not faults(simulate_programs(work, source=HALF, sink=HALF, seed=first))


@pytest.mark.slow  # a simulator of its own
def test_tables_without_any_weights(tmp_path):
    """All that comes through the port are tables: no layer has weights that could stay."""
    w = TfliteWriter("tables")
    x, y = (w.input(name, (1, 6, 4, 6), 1 / 64, 3) for name in "xy")
    x = w.add(x, y, 0.02, 1)
    w.output(w.add(x, y, 0.05, -4))
    w.write(tmp_path / "tables.tflite")
    program = compile_network(read_tflite(tmp_path / "tables.tflite"), LOADING, timing=MEMORY)
    assert stream_bytes(program)
    assert not faults(simulate_programs([(program, random_frames(program.graph, 2, 3))]))


@pytest.mark.slow  # a simulator of its own
def test_a_full_ring_while_instructions_are_fetched():
    """Weights that wait for room are not taken for what an instruction looks like that is only partly there; tables
    come with them."""
    parameters, timing = parse_engine(
        "channels=8,pixels=4,requantizers=4,depthwise_columns=4,weight_words=512,constant_words=32,tables=1,ranges=1,"
        "overlaps=1,loads_tables=1,memory_bytes=125/64"
    )
    work = []
    for layers in ((8, 10), (7, 18)):
        program = compile_network(load("cifar10", layers), parameters, timing=timing)
        work.append((program, random_frames(program.graph, 1, 3)))
    assert [sum(one.values.get("table") is not None and bool(one.fetched) for one in program.instructions)
            for program, _ in work] == [0, 2]  # fmt: skip
    assert not faults(simulate_programs(work))


def test_some_rows_at_a_time():
    """Maps that do not fit: a block whose expanded map is never whole. The tests above simulate it."""
    program, whole = digits(), digits(replace(SMALL, map_words=1024))
    assert len(program.instructions) > len(whole.instructions) == len({one.name for one in whole.instructions})
    assert program.memories["map_words"] <= SMALL.map_words < whole.memories["map_words"]
    assert any(one.ring for one in program.instructions)


@pytest.mark.slow
def test_cifar10():
    """Inverted residuals with both operands rescaled, as they are trained."""
    parameters = EngineParameters(weight_words=65536, constant_words=8192)
    program = compile_network(load("cifar10", None), parameters)
    assert not faults(simulate_programs([(program, random_frames(program.graph, 1, 3))]))


def test_what_a_memory_gives_wrong_is_said(monkeypatch):
    """A bit of the weights that is not as it was written: the result's last byte says so."""
    program = digits()

    def flipped(program):
        stream = bytearray(stream_bytes(program))
        stream[len(stream) // 2] ^= 4
        return bytes(stream)

    frames = random_frames(program.graph, 1, 5)
    right, *_ = simulate_programs([(program, frames)])
    assert right.marked == (False,)
    monkeypatch.setattr("mbconv.sim.engine.simulate.stream_bytes", flipped)
    wrong, *_ = simulate_programs([(program, frames)])
    assert wrong.marked == (True,)
