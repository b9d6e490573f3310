"""Which numbers a ``.tflite`` file computes with, and how to convert a model to those that are supported."""

from __future__ import annotations

from mbconv.generators.tflite_content import FileContent, FileOperator

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")

FLOAT = "float"
FLOAT16 = "float16"
DYNAMIC_RANGE = "dynamic range"
INT16 = "int16"

DESCRIPTIONS = {
    FLOAT: "is a float file: weights and activations are float32",
    FLOAT16: "is a float file: weights are stored as float16, and it computes in float32",
    DYNAMIC_RANGE: "is a dynamic-range file: weights are int8, but activations are float32",
    INT16: "has int16 activations (16x8 quantisation); int8 and uint8 activations are supported",
}

RECIPE = """To get a full-integer int8 file, convert with
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = pictures  # yields [float32 array of the input's shape], some 100 real pictures
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
or, from PyTorch, with ai-edge-quantizer's recipe static_wi8_ai8."""


def operator_numbers(operator: FileOperator, content: FileContent) -> str | None:
    """The unsupported kind of numbers that an operator computes with; None if integers of 8 bits, or not known."""
    types = [content.tensors[i].type for i in operator.inputs if i >= 0]
    written = [content.tensors[i].type for i in operator.outputs]
    if operator.code in ("QUANTIZE", "DEQUANTIZE") or not types or not written:
        return None
    if types[0] == "INT16" or written[0] == "INT16":
        return INT16
    if types[0] == "FLOAT32" or written[0] == "FLOAT32":
        if operator.code not in WEIGHTED or len(types) < 2 or types[1] == "FLOAT32":
            return FLOAT16 if _half_weights(operator, content) else FLOAT
        return DYNAMIC_RANGE if types[1] in ("INT8", "UINT8", "INT4") else FLOAT16 if types[1] == "FLOAT16" else FLOAT
    return None


def _half_weights(operator: FileOperator, content: FileContent) -> bool:
    """Whether weights come from a DEQUANTIZE of float16 constants, as in files with float16 weights."""
    weights = operator.inputs[1] if operator.code in WEIGHTED and len(operator.inputs) > 1 else -1
    return any(
        op.code == "DEQUANTIZE"
        and weights in op.outputs
        and any(i >= 0 and content.tensors[i].type == "FLOAT16" for i in op.inputs)
        for op in content.operators
    )


def file_numbers(content: FileContent) -> str | None:
    """The unsupported kind of numbers that the whole file computes with.

    None where any operator with weights (in a file without one, any operator) computes with 8-bit integers: such a file
    is judged operator by operator.
    """
    weighted = [op for op in content.operators if op.code in WEIGHTED]
    kinds = [operator_numbers(op, content) for op in weighted or content.operators]
    if not kinds or None in kinds:
        return None
    for kind in (INT16, DYNAMIC_RANGE, FLOAT16):
        if kind in kinds:
            return kind
    return FLOAT
