"""The golden model: a graph interpreted in integers with numpy, every intermediate tensor available.

It equals LiteRT's reference kernels in every element of every tensor of an affine network, and defines what a network
in binary fixed point computes. With the generator it shares the :class:`~mbconv.generators.graph.graph.Graph`,
nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mbconv.generators.graph.graph import Graph, GraphError, Tensor

from .kernels import kernels

_KERNELS = kernels()


def run(graph: Graph, inputs: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Compute every tensor of a graph.

    Args:
        graph: a network, or a range of one.
        inputs: for each of the graph's inputs, by tensor index, integers of the tensor's shape and element range.

    Returns:
        Every tensor by its index, the inputs included, with the tensor's shape and its element's numpy type (float32
        for what DEQUANTIZE writes).

    Raises:
        GraphError: an input is missing, unknown, or does not fit its tensor; or the graph holds an operator that has no
            defined result.
    """
    unknown = set(inputs) - set(graph.inputs)
    if unknown:
        raise GraphError(f"tensor {min(unknown)} is no input of {graph.name}; its inputs are {list(graph.inputs)}")
    results: dict[int, np.ndarray] = {}
    for index in graph.inputs:
        if index not in inputs:
            raise GraphError(f"no values were given for input {index} ({graph.tensors[index].name}) of {graph.name}")
        results[index] = check_values(graph.tensors[index], inputs[index])
    for operator in graph:
        kernel = _KERNELS.get(type(operator))
        if kernel is None:
            raise GraphError(f"operator {operator.index} ({operator.kind}) is unknown to the golden model")
        input_tensors = tuple(graph.tensors[index] for index in operator.inputs)
        values = [results[index] for index in operator.inputs]
        found = kernel(operator, input_tensors, operator.written(graph.tensors), *values)
        results |= zip(operator.outputs, (found,) if operator.OUTPUTS == 1 else found, strict=True)
    return results


def check_values(tensor: Tensor, values: np.ndarray) -> np.ndarray:
    """``values`` as elements of ``tensor``.

    Raises:
        GraphError: they have another shape, are no integers, or lie outside the element's range.
    """
    values = np.asarray(values)
    what = f"input {tensor.index} ({tensor.name})"
    if values.shape != tensor.shape:
        raise GraphError(f"{what} has shape {tensor.shape}, but values of shape {values.shape} were given")
    if values.dtype.kind not in "iu":
        raise GraphError(f"{what} holds {tensor.element}, but values of type {values.dtype} were given; quantise them")
    if values.size and (values.min() < tensor.element.minimum or values.max() > tensor.element.maximum):
        raise GraphError(
            f"{what} holds {tensor.element}, {tensor.element.minimum} to {tensor.element.maximum}, "
            f"but values from {values.min()} to {values.max()} were given"
        )
    return values.astype(tensor.element.dtype)
