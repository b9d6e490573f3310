"""Formats, words and weights for tests of multiply-accumulate circuits."""

import numpy as np
import pytest
from amaranth.hdl import Shape, signed

from mbconv.generators.constants.weights import folded_weights, pack_records
from mbconv.generators.planning.folding import Folding
from mbconv.hdl.family import Family
from mbconv.hdl.requantize import RequantizeFormat, RequantizeWords
from mbconv.sim.circuits.testbench import Payloads, Periodic

OTHER = Family(
    "other",
    memory_latency=1,
    multiplier_latency=2,
    largest_distributed=8,
    distributed_ram=False,
    largest_rounded_memory=0,
    largest_register_queue=8,
)
"""A family that differs from the generic one in everything that a circuit's shape depends on."""

VARIANTS = {"steady sources": {}, "sources that pause, another family": {"elastic": True, "family": OTHER}}
"""How every case of a multiplying circuit is built and simulated."""

EACH_VARIANT = pytest.mark.parametrize(
    "how",
    [pytest.param(how, id=name, marks=[pytest.mark.slow] if how else []) for name, how in VARIANTS.items()],
)
"""Of the two the second is slow: ``make slow`` runs it."""

EACH_EXTENT = pytest.mark.parametrize(
    ("how", "step"),
    [
        pytest.param({}, 5, id="every fifth case"),
        *(pytest.param(how, 1, id=name, marks=pytest.mark.slow) for name, how in VARIANTS.items()),
    ],
)
"""For a circuit of many cases that take long to build: every fifth of them is quick, all of each variant slow."""


def accumulator_range(weights: np.ndarray, minimum: int, maximum: int) -> tuple[np.ndarray, np.ndarray]:
    """The least and greatest sum of each output channel over elements in ``minimum`` to ``maximum``, partial sums
    included."""
    lowest = np.minimum(np.minimum(weights * minimum, weights * maximum), 0).sum(axis=1)
    highest = np.maximum(np.maximum(weights * minimum, weights * maximum), 0).sum(axis=1)
    return lowest, highest


def random_requantization(
    rng: np.random.Generator,
    weights: np.ndarray,
    data: Shape,
    output: Shape = signed(8),
    *,
    multiply: bool = True,
) -> tuple[RequantizeFormat, RequantizeWords]:
    """A format that brings sums of ``weights`` ``[Co][reduction]`` over elements ``data`` into ``output``, and random
    words for it."""
    low, high = (-(1 << (data.width - 1)), (1 << (data.width - 1)) - 1) if data.signed else (0, (1 << data.width) - 1)
    lowest, highest = accumulator_range(weights, low, high)
    reach = int(max(-lowest.min(), highest.max(), 1))
    bits = reach.bit_length() + 1
    least, most = (
        (-(1 << (output.width - 1)), (1 << (output.width - 1)) - 1) if output.signed else (0, (1 << output.width) - 1)
    )
    drop = max(1, reach.bit_length() - output.width + 2)
    format = RequantizeFormat(
        accumulator_bits=bits,
        bias_bits=bits,
        multiplier_bits=6 if multiply else 0,
        shift=drop + (5 if multiply else 0),
        shift_bits=0,
        zero_point=0 if multiply else 3,
        minimum=least + 1,
        maximum=most,
        output=output,
        constant_bits=4 if multiply else 0,
    )
    channels = weights.shape[0]
    bias = rng.integers(-reach // 4, reach // 4 + 1, channels)
    if not multiply:
        return format, format.words(bias)
    signs = rng.integers(-8, 8, (2, channels))
    return format, format.words(bias, rng.integers(1, 64, channels), signs[0], signs[1])


def requantization_beats(
    format: RequantizeFormat, words: RequantizeWords, lanes: int, rest: int = 0, pixels: int = 1
) -> Periodic:
    """The stream of requantisation words; of several pixels those of the outputs that they share first."""
    beats = pack_records(format.pack(words), format.word_bits, lanes)
    first = rest // lanes
    return Periodic(Payloads(beats[:first] * pixels + beats[first:] * pixels))


def weight_beats(weights: np.ndarray, inputs: int, outputs: int, pixels: int = 1) -> Periodic:
    """The stream of weights ``[Co][reduction]`` in a folding of ``inputs`` × ``outputs``; of several pixels those of
    the outputs that they share first."""
    rest = len(weights) % outputs if pixels > 1 else 0
    shared = [np.concatenate([weights[:rest]] * pixels)] if rest else []
    parts = shared + [weights[rest:]] * pixels
    return Periodic(np.concatenate([folded_weights(part, Folding(inputs, outputs)) for part in parts]))
