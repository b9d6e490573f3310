"""Blocks given in one line: their structure, the spread of their numbers, weights from a file, and what is refused."""

import numpy as np
import pytest

from mbconv.generators.graph.graph import INT8, Activation, Element, Graph, GraphError, Padding
from mbconv.generators.operators.add import Add
from mbconv.generators.operators.convolution import Convolution
from mbconv.generators.operators.depthwise_convolution import DepthwiseConvolution
from mbconv.generators.readers.block import parse_block
from mbconv.generators.readers.block_weights import block_arrays
from mbconv.sim.golden.model import run

RESIDUAL = "block:inverted_residual,height=8,width=7,channels=16"
FIXED = ("fixed", "fixed,activation_bits=4,weight_bits=3", "fixed,activation_bits=12,weight_bits=6")


def kinds(graph: Graph) -> list[tuple[type, str]]:
    return [(type(op), graph.tensors[op.outputs[0]].name) for op in graph]


def values(graph: Graph, seed: int) -> dict[int, np.ndarray]:
    """Every tensor for an input uniform over its range."""
    source = graph.tensors[graph.inputs[0]]
    rng = np.random.default_rng(seed)
    return run(graph, {source.index: rng.integers(source.element.minimum, source.element.maximum + 1, source.shape)})


@pytest.mark.parametrize(
    ("spec", "layers"),
    [
        (f"{RESIDUAL},expansion=6,stride=1", "expansion depthwise projection add"),
        (f"{RESIDUAL},expansion=1", "depthwise projection add"),
        (f"{RESIDUAL},stride=2", "expansion depthwise projection"),
        (f"{RESIDUAL},output_channels=24", "expansion depthwise projection"),
        ("block:pointwise,height=2,width=3,channels=4", "pointwise"),
        ("block:depthwise,height=2,width=3,channels=4", "depthwise"),
        ("block:separable,height=2,width=3,channels=4", "depthwise pointwise"),
    ],
)
@pytest.mark.parametrize("numbers", ["affine", "fixed"])
def test_layers(spec, layers, numbers):
    graph = parse_block(f"{spec},numbers={numbers}")
    classes = {"depthwise": DepthwiseConvolution, "add": Add}
    assert kinds(graph) == [(classes.get(name, Convolution), name) for name in layers.split()]
    assert [op.index for op in graph] == list(range(len(graph.operators)))
    assert {op.numbers for op in graph} == {numbers}
    assert list(graph.tensors) == list(range(len(graph.operators) + 1))


def test_shapes():
    graph = parse_block(
        "block:inverted_residual,height=9,width=6,channels=4,expansion=3,stride=2x1,kernel=5,output_channels=7"
    )
    assert [t.shape for t in graph.tensors.values()] == [(1, 9, 6, 4), (1, 9, 6, 12), (1, 5, 6, 12), (1, 5, 6, 7)]
    depthwise = graph.operators[1]
    assert (depthwise.strides, depthwise.kernel, depthwise.padding) == ((2, 1), (5, 5), Padding(2, 2, 2, 2))
    even = parse_block("block:separable,height=9,width=6,channels=4,kernel=10x4,stride=2").operators[0]
    assert (even.kernel, even.weights.shape, even.padding) == ((10, 4), (10, 4, 4), Padding(4, 5, 1, 1))
    multiplied = parse_block("block:depthwise,height=3,width=3,channels=2,output_channels=8,activation=none")
    assert multiplied.operators[0].depth_multiplier == 4
    assert multiplied.operators[0].activation is Activation.NONE


def test_affine_numbers_are_those_of_a_tflite_file():
    graph = parse_block(RESIDUAL)
    source, expansion, depthwise, projection, joined = graph.tensors.values()
    assert {t.element for t in graph.tensors.values()} == {INT8}
    assert (expansion.zero_point, depthwise.zero_point) == (-128, -128)
    assert 0 not in (source.zero_point, projection.zero_point, joined.zero_point)
    assert all(float(np.float32(t.scale)) == t.scale for t in graph.tensors.values())
    for op in graph.operators[:3]:
        assert op.weight_scales.shape == op.bias.shape == (graph.tensors[op.outputs[0]].channels,)
        assert op.bias.dtype == np.int32 and op.weight_zero_point == 0 and op.weights.min() >= -127


@pytest.mark.parametrize("numbers", FIXED)
def test_fixed_numbers_are_binary(numbers):
    graph = parse_block(f"{RESIDUAL},numbers={numbers}")
    source, expansion, depthwise, projection, joined = graph.tensors.values()
    bits = source.element.bits
    for t in (expansion, depthwise):
        assert (t.element, t.scale) == (Element(bits, False), 2.0 ** (3 - bits))
    for t in (source, projection, joined):
        assert t.element == Element(bits, True)
    for t in graph.tensors.values():
        assert t.zero_point == 0 and np.log2(t.scale) % 1 == 0
    for op in graph.operators[:3]:
        assert (np.log2(op.weight_scales) % 1 == 0).all()
        shift = graph.tensors[op.outputs[0]].scale / (graph.tensors[op.inputs[0]].scale * op.weight_scales.max())
        assert shift >= 1, "requantisation shifts right"
        assert -op.weight_element.maximum <= op.weights.min() < 0 < op.weights.max() <= op.weight_element.maximum


@pytest.mark.parametrize("kind", ["inverted_residual", "separable", "pointwise", "depthwise"])
@pytest.mark.parametrize("numbers", ["affine", *FIXED])
@pytest.mark.parametrize("seed", [0, 1])
def test_outputs_spread_over_their_range(kind, numbers, seed):
    """A layer whose outputs are all alike, or all at a limit, would verify no circuit."""
    graph = parse_block(f"block:{kind},height=12,width=12,channels=16,seed={seed},numbers={numbers}")
    for index, found in values(graph, seed).items():
        t = graph.tensors[index]
        steps = t.element.maximum - t.element.minimum
        what = f"{kind}, {numbers}, seed {seed}: {t.name}"
        assert found.std() > steps / 16, what
        limits = np.mean((found == found.min()) | (found == found.max()))
        assert limits < 0.6, what
        assert np.unique(found).size > 0.3 * min(steps, found.size), what


def test_seeds_differ_and_repeat():
    first, again, other = (parse_block(f"{RESIDUAL},seed={seed}") for seed in (3, 3, 4))
    assert first.tensors == again.tensors
    for a, b, c in zip(first.operators[:3], again.operators[:3], other.operators[:3], strict=True):
        for field in ("weights", "bias", "weight_scales"):
            np.testing.assert_array_equal(getattr(a, field), getattr(b, field))
            assert not np.array_equal(getattr(a, field), getattr(c, field)), field


@pytest.mark.parametrize("numbers", ["affine", "fixed,activation_bits=6,weight_bits=5"])
def test_weights_from_a_file(tmp_path, numbers):
    original = parse_block(f"{RESIDUAL},seed=5,numbers={numbers}")
    path = tmp_path / "weights.npz"
    np.savez(path, **block_arrays(original))
    loaded = parse_block(f"{RESIDUAL},seed=6,numbers={numbers},weights={path}")
    assert loaded.tensors == original.tensors
    for a, b in zip(values(original, 1).values(), values(loaded, 1).values(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_alone_are_enough(tmp_path):
    """Biases are then zero, and scales follow from the weights."""
    rng = np.random.default_rng(2)
    path = tmp_path / "weights.npz"
    weights = rng.integers(-127, 128, (5, 3))
    np.savez(path, pointwise_weights=weights)
    graph = parse_block(f"block:pointwise,height=9,width=9,channels=3,output_channels=5,weights={path}")
    (op,) = graph.operators
    np.testing.assert_array_equal(op.weights.reshape(5, 3), weights)
    np.testing.assert_array_equal(op.bias, np.zeros(5))
    assert values(graph, 1)[1].std() > 16


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({}, "lacks pointwise_weights, of shape [2, 1, 1, 3]"),
        ({"pointwise_weights": np.ones((3, 2), int)}, "has shape [3, 2]; [2, 1, 1, 3] is needed"),
        ({"pointwise_weights": np.ones((2, 3))}, "holds float64; integers are needed"),
        ({"pointwise_weights": np.full((2, 3), 200)}, "weights 200..200 that are not all int8"),
        ({"pointwise_weights": np.ones((2, 3), int), "other": np.ones(1)}, "holds other, which no layer"),
        ({"pointwise_weights": np.ones((2, 3), int), "pointwise_bias": np.full(2, 2**40)}, "beyond int32"),
        ({"pointwise_weights": np.ones((2, 3), int), "pointwise_scale": np.array(np.nan)}, "scale outside 2^-64..2^64"),
        ({"pointwise_weights": np.ones((2, 3), int), "pointwise_scale": np.array(-1.0)}, "scale outside 2^-64..2^64"),
        ({"pointwise_weights": np.ones((2, 3), int), "pointwise_zero_point": np.array(128)}, "zero point 128"),
        (
            {"pointwise_weights": np.ones((2, 3), int), "pointwise_weight_scales": np.zeros(2)},
            "scale outside 2^-64..2^64",
        ),
        ({"pointwise_weights": np.ones((2, 3), int), "input_scale": np.array(0.0)}, "scale outside 2^-64..2^64"),
        ({"pointwise_weights": np.array(["a"])}, "does not hold numbers"),
        ({"pointwise_weights": np.array([{}])}, "is not a readable .npz file"),
    ],
)
def test_weights_refused(tmp_path, arrays, reason):
    path = tmp_path / "weights.npz"
    np.savez(path, **arrays)
    with pytest.raises(GraphError) as caught:
        parse_block(f"block:pointwise,height=2,width=2,channels=3,output_channels=2,weights={path}")
    assert reason in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a zip file", b"PK\x03\x04damaged"])
def test_damaged_weights_file(tmp_path, content):
    path = tmp_path / "weights.npz"
    path.write_bytes(content)
    with pytest.raises(GraphError, match=r"is not a readable \.npz file"):
        parse_block(f"block:pointwise,height=2,width=2,channels=3,weights={path}")
    with pytest.raises(GraphError, match="there is no such file"):
        parse_block(f"block:pointwise,height=2,width=2,channels=3,weights={tmp_path}/absent.npz")


@pytest.mark.parametrize(
    ("spec", "reasons"),
    [
        ("block:residual,height=1", ["no block 'residual'", "inverted_residual"]),
        ("block:", ["no block ''"]),
        (
            "block:pointwise,height=4,colour=red,channels=3,kernel=3",
            ["'colour' is not", "'kernel' is not", "width is missing"],
        ),
        (f"{RESIDUAL},height=4", ["height is given twice"]),
        (f"{RESIDUAL},stride", ["'stride' is not key=value"]),
        (f"{RESIDUAL},stride=1x2x3", ["stride=1x2x3 is not a whole number"]),
        (f"{RESIDUAL},stride=0", ["stride=0 is not in 1..16"]),
        (f"{RESIDUAL},expansion=1.5", ["expansion=1.5 is not a whole number"]),
        (f"{RESIDUAL},expansion=-1", ["expansion=-1 is not a whole number"]),
        (f"{RESIDUAL},expansion=٣", ["expansion=٣ is not a whole number"]),
        (f"{RESIDUAL},kernel=4x", ["kernel=4x is not a whole number"]),
        (f"{RESIDUAL},kernel=3x32", ["kernel=3x32 is not in 1..31"]),
        (f"{RESIDUAL},numbers=float", ["numbers=float is none of affine, fixed"]),
        (f"{RESIDUAL},activation_bits=7", ["activation_bits=7 and weight_bits=8 with numbers=affine"]),
        (f"{RESIDUAL},numbers=fixed,weight_bits=1", ["weight_bits=1 is not in 2..16"]),
        (f"{RESIDUAL},weights=", ["weights names no file"]),
        ("block:depthwise,height=3,width=3,channels=4,output_channels=6", ["no multiple of channels=4"]),
        ("block:pointwise,height=9000,width=99999999999999,channels=1", ["height=9000", "width=99999999999999"]),
        ("block:pointwise,height=8192,width=8192,channels=16", ["widest tensor would have 1073741824 elements"]),
        ("block:pointwise,height=1,width=1,channels=16384,output_channels=16384", ["268435456 weights"]),
    ],
)
def test_specifications_refused(spec, reasons):
    with pytest.raises(GraphError) as caught:
        parse_block(spec)
    for reason in reasons:
        assert reason in str(caught.value)
    if "no block" not in reasons[0]:
        for key in ("height", "output_channels", "numbers", "weights"):
            assert f"\n  {key} " in str(caught.value), "all keys are listed"


def test_numbers_too_wide_for_an_accumulator():
    with pytest.raises(GraphError, match="beyond 32 bits"):
        parse_block(f"{RESIDUAL},numbers=fixed,activation_bits=16,weight_bits=16")
