"""The oracle: LiteRT's reference kernels, with every tensor readable.

LiteRT's default kernels (XNNPACK) and its optimised ones round differently; only ``BUILTIN_REF`` is the arithmetic that
files promise. The package is an extra.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mbconv.generators.graph.graph import GraphError


class OracleMissing(GraphError):
    """LiteRT is not installed."""


def available() -> bool:
    """Whether LiteRT can be imported."""
    try:
        _litert()
    except OracleMissing:
        return False
    return True


def _litert():
    try:
        from ai_edge_litert import interpreter
    except ImportError as error:
        raise OracleMissing(
            f"the comparison with LiteRT needs ai-edge-litert ({error}); install it: pip install 'mbconv[oracle]'"
        ) from error
    return interpreter


class Reference:
    """A model file loaded into LiteRT's reference kernels, to be run on one picture after another.

    Args:
        model: a path to a ``.tflite`` file, or its content.
        kernels: the name of LiteRT's ``OpResolverType``; of others than the reference's the outputs alone can be read.

    Raises:
        OracleMissing: LiteRT is not installed.
        GraphError: LiteRT refuses the file.
    """

    def __init__(self, model: str | Path | bytes, kernels: str = "BUILTIN_REF") -> None:
        litert = _litert()
        is_reference = kernels == "BUILTIN_REF"
        source = {"model_content": model} if isinstance(model, bytes) else {"model_path": str(model)}
        try:
            self._interpreter = litert.Interpreter(
                **source,
                experimental_op_resolver_type=litert.OpResolverType[kernels],
                experimental_preserve_all_tensors=is_reference,
                num_threads=1,
            )
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            name = "the model" if isinstance(model, bytes) else model
            raise GraphError(f"LiteRT refuses {name}: {error}") from error
        self._is_reference = is_reference
        self._details = {detail["index"]: detail for detail in self._interpreter.get_tensor_details()}
        self.inputs = tuple(detail["index"] for detail in self._interpreter.get_input_details())
        self.outputs = tuple(detail["index"] for detail in self._interpreter.get_output_details())

    def run(self, inputs: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
        """Every tensor of the file by its index, constants included, for one picture.

        The reference SOFTMAX aborts the whole process where inputs are nearly uniform over more than 500 classes.

        Args:
            inputs: values by the indices of the file's inputs. Where the file takes real numbers and quantises them
                itself, those of the integer tensor behind are taken and given as the real numbers they stand for.

        Raises:
            GraphError: the indices are not those of the file's inputs.
        """
        for index, values in self._file_inputs(inputs).items():
            self._interpreter.set_tensor(index, values)
        self._interpreter.invoke()
        results = {}
        for index in self._details if self._is_reference else self.outputs:
            try:
                results[index] = self._interpreter.get_tensor(index)
            except ValueError:  # a kernel's scratch memory, which has no data to read
                continue
        return results

    def _file_inputs(self, inputs: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
        own = {index: values for index, values in inputs.items() if index in self.inputs}
        missing = [index for index in self.inputs if index not in own]
        others = [index for index in inputs if index not in own]
        if len(missing) != len(others) or len(missing) > 1:
            raise GraphError(f"values were given for tensors {list(inputs)}, but the inputs are {list(self.inputs)}")
        for file_input, index in zip(missing, others, strict=True):
            scale, zero_point = self._details[index]["quantization"]
            own[file_input] = (scale * (inputs[index].astype(np.float64) - zero_point)).astype(np.float32)
        return own


def run_reference(model: str | Path | bytes, inputs: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Every tensor of a file by its index, as LiteRT's reference kernels compute it; errors as :class:`Reference`."""
    return Reference(model).run(inputs)
