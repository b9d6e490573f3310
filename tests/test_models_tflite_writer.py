"""The writer's files are read and computed by LiteRT's reference kernels."""

import numpy as np
import pytest

from mbconv.training.tflite_writer import TfliteWriter

litert = pytest.importorskip("ai_edge_litert.interpreter")


def run(content: bytes, *inputs: np.ndarray) -> list[np.ndarray]:
    interpreter = litert.Interpreter(
        model_content=content, experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    for detail, value in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def every_operator(seed: int) -> TfliteWriter:
    rng = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-127, 128, shape)

    w = TfliteWriter("every", "one of each")
    x = w.input("x", (1, 9, 7, 2), 0.03, -5)
    x = w.pad(x, top=1, right=2)
    x = w.convolution(
        x, weights(6, 3, 3, 2), rng.uniform(0.001, 0.01, 6), weights(6), 0.03, -128, (2, 1), "VALID", "RELU6"
    )
    y = w.depthwise(x, weights(3, 3, 12), rng.uniform(0.001, 0.01, 12), weights(12), 0.03, -128, activation="RELU")
    y = w.convolution(y, weights(6, 1, 1, 12), 0.004, weights(6), 0.05, 3)
    x = w.add(x, y, 0.06, -20, "RELU")
    x = w.constant_arithmetic("MUL", x, weights(6), 0.01, 4, 0.05, 1)
    x = w.constant_arithmetic("SUB", x, np.int8(9), 0.02, 1, 0.05, 0, constant_first=True)
    x = w.rectify(x, "RELU6", 0.03, -128)
    x = w.average_pool(x, (2, 2), (2, 2))
    x = w.quantize(x, 0.02, -100)
    x = w.mean(x, 0.01, 5, keep=True)
    x = w.transpose(x, (0, 3, 1, 2))
    x = w.reshape(x, (1, 6))
    x = w.fully_connected(x, weights(4, 6), rng.uniform(0.01, 0.02, 4), None, 0.1, 0)
    x = w.softmax(x)
    w.output(x)
    w.output(w.dequantize(x))
    return w


@pytest.mark.parametrize("seed", [1, 2])
def test_reference_kernels_take_every_operator(seed):
    content = every_operator(seed).to_bytes()
    assert content == every_operator(seed).to_bytes(), f"seed {seed}: the same network, other bytes"
    picture = np.random.default_rng(seed).integers(-128, 128, (1, 9, 7, 2)).astype(np.int8)
    integers, real = run(content, picture)
    assert integers.shape == (1, 4), f"seed {seed}"
    np.testing.assert_array_equal(real, (integers.astype(np.float32) + 128) / 256, err_msg=f"seed {seed}")


def test_numbers_reach_the_kernels_unchanged():
    """A pointwise convolution whose answer is known: scales 1, so the accumulator itself is the result."""
    w = TfliteWriter("known")
    x = w.input("x", (1, 1, 2, 3), 1.0, 2)
    w.output(w.convolution(x, np.array([[1, 0, 2], [0, -1, 1]]).reshape(2, 1, 1, 3), 1.0, np.array([5, -7]), 1.0, 4))
    picture = np.array([[3, 4, 5], [2, 2, 2]], np.int8).reshape(1, 1, 2, 3)
    (result,) = run(w.to_bytes(), picture)
    real = picture.reshape(2, 3).astype(int) - 2
    expected = np.stack([real[:, 0] + 2 * real[:, 2] + 5, real[:, 2] - real[:, 1] - 7], axis=1) + 4
    np.testing.assert_array_equal(result.reshape(2, 2), expected)


def test_uint8_weights_have_a_zero_point():
    w = TfliteWriter("unsigned")
    x = w.input("x", (1, 1, 1, 2), 1.0, 100, "uint8")
    w.output(
        w.convolution(x, np.array([130, 120]).reshape(1, 1, 1, 2), 1.0, np.array([1]), 1.0, 50, weight_zero_point=125)
    )
    (result,) = run(w.to_bytes(), np.array([[[[110, 103]]]], np.uint8))
    assert result.item() == 5 * 10 - 5 * 3 + 1 + 50


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w, x: w.tensor("t", (2,), 1.0, data=np.array([1, 200])), "1..200"),
        (lambda w, x: w.tensor("t", (2, 3), np.ones(4)), "4 scales"),
        (lambda w, x: w.convolution(x, np.zeros((1, 1, 1, 5), int), 1.0, None, 1.0, 0), "3 input channels"),
        (lambda w, x: w.depthwise(x, np.zeros((3, 3, 4), int), 1.0, None, 1.0, 0), "3 input channels"),
        (lambda w, x: w.reshape(x, (1, 7)), "differ in size"),
        (lambda w, x: w.rectify(x, "TANH"), "TANH"),
        (lambda w, x: w.to_bytes(), "0 outputs"),
    ],
)
def test_mistakes_are_refused(call, message):
    w = TfliteWriter("mistake")
    x = w.input("x", (1, 2, 2, 3), 1.0, 0)
    with pytest.raises(ValueError, match=message):
        call(w, x)
