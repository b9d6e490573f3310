"""Operators of one element: golden model and tables against LiteRT, for every input and many scales.

Golden kernel and table are written apart; both are compared with the kernels themselves.
"""

import numpy as np
import pytest

from mbconv.generators.constants.lookup_tables import lookup_tables
from mbconv.generators.graph.table_operator import TableOperator
from mbconv.generators.operators.registry import OPERATORS
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import model as golden
from mbconv.sim.golden import oracle
from mbconv.training.tflite_writer import TfliteWriter

pytest.importorskip("ai_edge_litert", reason="compares with LiteRT: pip install 'mbconv[oracle]'")

COUNT = 60  # pairs of scales and zero points for each operator and type
CHANNELS = 4


def _any_scales(rng):
    return float(np.exp(rng.uniform(-7, 1))), float(np.exp(rng.uniform(-7, 1)))


def _hard_swish(w, x, rng, low):
    """Input scales up to 128 output scales, the kernel's limit."""
    scale = w.tensors[x].scales[0]
    return w.unary("HARD_SWISH", x, float(scale * np.exp(rng.uniform(-4.8, 2))), low + int(rng.integers(256)))


def _constant(operation):
    def write(w, x, rng, low):
        constant = rng.integers(low, low + 256, (CHANNELS,) if rng.integers(2) else ())
        scale = float(w.tensors[x].scales[0] * np.exp(rng.uniform(-2, 2)))
        zero = low + int(rng.integers(256))
        first = bool(rng.integers(2))
        activation = ["NONE", "RELU", "RELU6", "RELU_N1_TO_1"][rng.integers(4)]
        output = float(np.exp(rng.uniform(-5, 1)))
        return w.constant_arithmetic(operation, x, constant, scale, zero, output, 3 + low + 120, first, activation)

    return write


def _exponential(w, x, rng, low):
    """Of at most 20: what real numbers a byte holds."""
    known = w.tensors[x]
    known.scales[:] = np.exp(rng.uniform(-7, -2.5))
    most = known.scales[0] * (low + 255 - known.zero_points[0])
    return w.unary("EXP", x, float(np.exp(min(most, 20) - rng.uniform(3, 7))), low + int(rng.integers(256)))


def _to_one(w, x, rng, low):
    return w.unary("RELU_0_TO_1", x, float(rng.uniform(0.002, 0.02)), low + int(rng.integers(200)))


def _rescaled(code, options="", fields=None):
    def write(w, x, rng, low):
        made = None if fields is None else fields(rng)
        return w.unary(code, x, _any_scales(rng)[1], low + int(rng.integers(256)), options, made)

    return write


WRITERS = {
    "RELU": _rescaled("RELU"),
    "RELU6": _rescaled("RELU6"),
    "RELU_N1_TO_1": _rescaled("RELU_N1_TO_1"),
    "RELU_0_TO_1": _to_one,
    "EXP": _exponential,
    "GELU": _rescaled("GELU", "GeluOptions", lambda rng: {"Approximate": bool(rng.integers(2))}),
    "ABS": _rescaled("ABS"),
    "LOG": _rescaled("LOG"),
    "HARD_SWISH": _hard_swish,
    "LOGISTIC": lambda w, x, rng, low: w.unary("LOGISTIC", x, 1 / 256, low),
    "TANH": lambda w, x, rng, low: w.unary("TANH", x, 1 / 128, low + 128),
    "LEAKY_RELU": _rescaled("LEAKY_RELU", "LeakyReluOptions", lambda rng: {"Alpha": rng.choice([0, 0.1, 0.3, 2])}),
    "PRELU": lambda w, x, rng, low: w.prelu(
        x,
        rng.integers(low, low + 256, (1, 1, CHANNELS) if rng.integers(2) else (1, 1, 1)),
        float(np.exp(rng.uniform(-6, -2))),
        low + int(rng.integers(256)),
        _any_scales(rng)[1],
        low + int(rng.integers(256)),
    ),
    "QUANTIZE": lambda w, x, rng, low: w.quantize(
        x, _any_scales(rng)[1], 5 if rng.integers(2) else -3, w.tensors[x].dtype
    ) if low else w.quantize(x, _any_scales(rng)[1], 5, "int8"),
    "MUL": _constant("MUL"),
    "ADD": _constant("ADD"),
    "SUB": _constant("SUB"),
}  # fmt: skip


INT8_ALONE = {"ABS", "EXP", "LOG"}
"""Of which LiteRT has no kernel of uint8."""


@pytest.mark.parametrize(
    ("code", "dtype"), [(c, d) for c in WRITERS for d in ("int8", "uint8") if d == "int8" or c not in INT8_ALONE]
)
def test_every_input_gives_what_the_reference_kernel_gives(tmp_path, code, dtype):
    rng = np.random.default_rng(len(code) + 7)
    low = -128 if dtype == "int8" else 0
    w = TfliteWriter("tables")
    for _ in range(COUNT):
        shape, zero_point = (1, 16, 16, CHANNELS), low + int(rng.integers(256))
        x = w.input(f"x{len(w.inputs)}", shape, _any_scales(rng)[0], zero_point, dtype)
        w.output(WRITERS[code](w, x, rng, low))
    path = tmp_path / "tables.tflite"
    w.write(path)
    graph = read_tflite(path)
    every = np.repeat(np.arange(low, low + 256).reshape(1, 16, 16, 1), CHANNELS, axis=3).astype(dtype)
    inputs = dict.fromkeys(graph.inputs, every)
    expected = oracle.run_reference(path, inputs)
    results = golden.run(graph, inputs)
    changing = 0
    for op in graph:
        (output,) = op.outputs
        what = f"{code}: {graph.tensors[op.inputs[0]]} to {graph.tensors[output]}"
        np.testing.assert_array_equal(results[output], expected[output], what)
        tables = np.broadcast_to(lookup_tables(op, graph), (CHANNELS, 256))
        np.testing.assert_array_equal(tables.T.reshape(1, 16, 16, CHANNELS), expected[output], what)
        changing += np.unique(expected[output]).size > 8
    assert changing > COUNT // 4, "most tables are nearly constant: they prove little"


def test_every_operator_of_one_element_is_compared():
    """The operators above are all that there are, but for the one whose table changes nothing."""
    written = {"Rectify", "HardSwish", "Logistic", "Tanh", "LeakyRelu", "Prelu", "Quantize", "ConstantArithmetic"}
    written |= {"RealFunction", "Absolute"}
    assert {op.__name__ for op in OPERATORS if issubclass(op, TableOperator)} == written | {"Transpose"}
