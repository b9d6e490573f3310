"""Which numbers a ``.tflite`` file computes with, and how to convert a model to those that are supported."""

from __future__ import annotations

from .tflite_content import FileContent, FileOperator

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")

_REAL = ("QUANTIZE", "DEQUANTIZE", "CUSTOM TFLite_Detection_PostProcess")  # read or write real numbers by their nature

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


class FileNumbers:
    """The kinds of numbers in a file.

    Attributes:
        kind: the unsupported kind that the whole file computes with. None where any operator with weights (in a file
            without one, any operator) computes with 8-bit integers: such a file is judged operator by operator.
    """

    def __init__(self, content: FileContent) -> None:
        self._tensors = content.tensors
        # Files with float16 weights turn them into float32 by DEQUANTIZE before use.
        self._half = {
            tensor
            for op in content.operators
            if op.code == "DEQUANTIZE" and "FLOAT16" in self._types(op.inputs)
            for tensor in op.outputs
        }
        weighted = [op for op in content.operators if op.code in WEIGHTED]
        kinds = {self.of(op) for op in weighted or content.operators}
        self.kind = None
        if kinds and None not in kinds:
            self.kind = next(kind for kind in (INT16, DYNAMIC_RANGE, FLOAT16, FLOAT) if kind in kinds)

    def _types(self, tensors: tuple[int, ...]) -> list[str]:
        return [self._tensors[tensor].type if tensor >= 0 else "" for tensor in tensors]

    def of(self, operator: FileOperator) -> str | None:
        """The unsupported kind of numbers that an operator computes with; None if 8-bit integers, or not known."""
        inputs, outputs = self._types(operator.inputs), self._types(operator.outputs)
        if operator.code in _REAL or not inputs or not outputs:
            return None
        if "INT16" in (inputs[0], outputs[0]):
            return INT16
        if "FLOAT32" not in (inputs[0], outputs[0]):
            return None
        if operator.code not in WEIGHTED or len(inputs) < 2:
            return FLOAT
        if inputs[1] in ("INT8", "UINT8", "INT4"):
            return DYNAMIC_RANGE
        return FLOAT16 if inputs[1] == "FLOAT16" or operator.inputs[1] in self._half else FLOAT
