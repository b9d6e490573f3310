"""The mean over a map as a stream: constants of real pools and of random ones, in registers and in block RAM."""

import numpy as np
import pytest
from amaranth.hdl import Shape, signed, unsigned
from elements import random_elements

from mbconv.generators.constants.pool_constants import pool_requantization
from mbconv.generators.graph.graph import INT8, UINT8, Activation, Graph, Tensor
from mbconv.generators.operators.average_pool import AveragePool
from mbconv.generators.operators.mean import Mean
from mbconv.hdl.average_pool import AveragePool as PoolCircuit
from mbconv.hdl.average_pool import sum_bits
from mbconv.hdl.requantize import RequantizeFormat, RequantizeWords
from mbconv.sim.circuits.testbench import Case, Expected, run_cases, tensor_beats
from mbconv.sim.golden import model as golden

FRAMES = 3


def pool_case(
    name: str,
    x: np.ndarray,
    expected: np.ndarray,
    shape: Shape,
    lanes: int,
    format: RequantizeFormat,
    words: RequantizeWords,
    *,
    queue_depth: int | None = None,
) -> Case:
    """Frames ``x`` ``[frames, pixels, channels]`` and their means ``[frames, channels]``."""
    _, pixels, channels = x.shape
    circuit = PoolCircuit(shape, channels, lanes, pixels, format, words, queue_depth=queue_depth)
    beats, _ = tensor_beats(x, lanes, random_elements(np.random.default_rng(pixels), shape, (97,)))
    # The sum, from block RAM two cycles later, then the requantisation and the queue.
    in_block_ram = -(-channels // lanes) > 32
    queue_latency = 4 if circuit.queue_depth > 32 else 1
    assert circuit.latency == (3 if in_block_ram else 1) + circuit.requantize.latency + queue_latency
    return Case(
        name,
        circuit,
        {"i": beats},
        {"o": Expected.tensor(expected, lanes)},
        FRAMES,
        interval=circuit.cycles_per_frame,
        latency=circuit.cycles_per_frame - 1 + circuit.latency,
    )


def graph_case(name, op, source, output, size, channels, lanes, **options) -> Case:
    """A pool of a graph against the golden model; ``source`` and ``output`` are (element, scale, zero point)."""
    rng = np.random.default_rng([*size, channels])
    tensors = {
        0: Tensor(0, "map", (1, *size, channels), source[0], float(np.float32(source[1])), source[2]),
        1: Tensor(1, "mean", (1, 1, 1, channels), output[0], float(np.float32(output[1])), output[2]),
    }
    graph = Graph("pool", tensors, (op,), (0,), (1,))
    shape = Shape(source[0].bits, source[0].signed)
    # Means over the whole range of the element, which those of uniform elements are not.
    centres = random_elements(rng, shape, (FRAMES, 1, 1, 1, channels))
    noise = rng.integers(-40, 41, (FRAMES, 1, *size, channels))
    x = np.clip(centres + noise, source[0].minimum, source[0].maximum)
    expected = np.stack([golden.run(graph, {0: frame})[1].reshape(channels) for frame in x])
    found = pool_requantization(op, graph, lanes=lanes)
    frames = x.reshape(FRAMES, -1, channels)
    return pool_case(name, frames, expected, shape, lanes, found.format, found.words, **options)


def random_case(shape: Shape, output: Shape, channels: int, lanes: int, pixels: int, **options) -> Case:
    """A division by a power of two and a bias that no graph has."""
    rng = np.random.default_rng([channels, lanes, pixels])
    bits = sum_bits(shape, pixels)
    limit = (1 << output.width) - 1 >> output.signed
    format = RequantizeFormat(
        accumulator_bits=bits,
        bias_bits=6,
        multiplier_bits=0,
        shift=max(1, bits - output.width),
        shift_bits=0,
        zero_point=2,
        minimum=1,
        maximum=limit - 1,
        output=output,
    )
    words = format.words(int(rng.integers(-32, 32)))
    x = random_elements(rng, shape, (FRAMES, pixels, channels))
    expected = format.compute(x.sum(1).reshape(1, -1), words).reshape(FRAMES, channels)
    name = f"{pixels} pixels of {channels} × {shape}, {lanes} lanes, {output}"
    return pool_case(name, x, expected, shape, lanes, format, words, **options)


def test_average_pool():
    bytes_ = INT8, 0.0235294122248888, -128
    unsigned_bytes = UINT8, 0.0235294122248888, 3
    rescaled = INT8, 0.0190778318792582, -128
    run_cases(
        [
            graph_case("int8, 3×3", AveragePool(0, (0,), (1,), kernel=(3, 3)), bytes_, bytes_, (3, 3), 8, 2),
            graph_case("int8, 5×5", AveragePool(0, (0,), (1,), kernel=(5, 5)), bytes_, bytes_, (5, 5), 7, 4),
            graph_case(
                "uint8 with ReLU6, 4×4",
                AveragePool(0, (0,), (1,), kernel=(4, 4), activation=Activation.RELU6),
                unsigned_bytes,
                unsigned_bytes,
                (4, 4),
                5,
                1,
            ),
            graph_case("mean, 7×7", Mean(0, (0,), (1,)), bytes_, rescaled, (7, 7), 6, 3),
            graph_case("mean, uint8, 2×3", Mean(0, (0,), (1,)), unsigned_bytes, (UINT8, 0.04, 90), (2, 3), 4, 4),
            graph_case("mean in block RAM", Mean(0, (0,), (1,)), bytes_, rescaled, (2, 3), 70, 2),
            graph_case("one pixel", Mean(0, (0,), (1,)), bytes_, rescaled, (1, 1), 5, 1),
            graph_case("one pixel in block RAM", Mean(0, (0,), (1,)), bytes_, rescaled, (1, 1), 33, 1),
            random_case(signed(8), signed(8), 32, 1, 5),
            random_case(signed(8), signed(8), 33, 1, 5),
            random_case(unsigned(4), unsigned(6), 3, 2, 9),
            random_case(signed(16), signed(12), 2, 2, 4),
            random_case(signed(5), unsigned(5), 1, 1, 1),
            random_case(signed(8), signed(9), 6, 2, 3, queue_depth=48),
        ]
    )


def test_cost():
    circuit = random_case(signed(8), signed(8), 10, 4, 16).component
    assert circuit.multipliers == 0
    assert circuit.cycles_per_frame == 16 * 3
    assert circuit.memory_bits == 12 * 4 * 3 + 8 * 4 * circuit.queue_depth


def test_sum_bits():
    assert sum_bits(signed(8), 16) == 12
    assert sum_bits(signed(8), 17) == 13
    assert sum_bits(unsigned(8), 1) == 9


def test_refusals():
    case = random_case(signed(8), signed(8), 4, 2, 16)
    format, words = case.component.format, case.component.words
    with pytest.raises(ValueError, match="pixels must be at least 1, not 0"):
        PoolCircuit(signed(8), 4, 2, 0, format, words)
    with pytest.raises(ValueError, match="lanes must be at least 1, not 0"):
        PoolCircuit(signed(8), 4, 0, 16, format, words)
    with pytest.raises(ValueError, match=r"sums of 17 elements of signed\(8\) need 13 bits, not 12"):
        PoolCircuit(signed(8), 4, 2, 17, format, words)
    with pytest.raises(ValueError, match="one requantisation word serves all channels, not 2"):
        PoolCircuit(signed(8), 4, 2, 16, format, format.words([1, 2]))
