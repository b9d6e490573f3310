"""Weights and biases of operators in ``.tflite`` files."""

from __future__ import annotations

import numpy as np

from ..graph.graph import Tensor
from .tflite_content import FileTensor
from .tflite_reader import ELEMENTS, Reader, Unsupported

_BIAS_TOLERANCE = 0.02  # of the kernels' own check that a bias has its accumulator's scale


def read_mac(reader: Reader, axis: int, rank: int, positions: tuple[int, int, int] = (0, 1, 2)) -> dict:
    """What all operators with weights have.

    Args:
        axis: the weights' output channel.
        rank: of the weights.
        positions: of the map, the weights and the biases, which may be left out, among the inputs.
    """
    reader.check_inputs(max(positions), max(positions) + 1)
    input_tensor = reader.computed(positions[0])
    weights = reader.constant(positions[1], "weights", ("INT8", "UINT8"))
    tensor = reader.needed(positions[1], "weights")
    if weights.ndim != rank:
        raise Unsupported(f"has weights of shape {list(weights.shape)}; {rank} dimensions are expected")
    channels = weights.shape[axis]
    scales = _weight_scales(tensor, axis, channels)
    if tensor.zero_points.size > 1 and (tensor.zero_points != tensor.zero_points[0]).any():
        raise Unsupported("has weights whose zero points differ among channels; symmetric weights are supported")
    zero_point = int(tensor.zero_points[0]) if tensor.zero_points.size else 0
    return {
        **reader.common(input_tensor),
        "weights": weights,
        "weight_element": ELEMENTS[tensor.type],
        "weight_zero_point": zero_point,
        "weight_scales": scales,
        "bias": _bias(reader, positions[2], channels, input_tensor, scales),
        "activation": reader.activation(),
    }


def _weight_scales(tensor: FileTensor, axis: int, channels: int) -> np.ndarray:
    scales = tensor.scales
    if not scales.size:
        raise Unsupported(f"has weights ({tensor}) without a scale")
    # With a single scale the axis means nothing, whatever the file says.
    if scales.size > 1 and (tensor.axis != axis or scales.size != channels):
        raise Unsupported(
            f"has {scales.size} weight scales along axis {tensor.axis}; one, or one for each of the {channels} output "
            f"channels along axis {axis}, is supported"
        )
    if tensor.zero_points.size not in (0, 1, scales.size):
        raise Unsupported(f"has {tensor.zero_points.size} weight zero points for {scales.size} scales")
    return scales


def _bias(reader: Reader, position: int, channels: int, input_tensor: Tensor, weight_scales: np.ndarray) -> np.ndarray:
    """The biases, zeros where there are none.

    A bias has one dimension, so the axis of its scales means nothing: ``person_detect.tflite`` as published names an
    axis out of range there, which changes no number.
    """
    tensor = reader.input_tensor(position)
    if tensor is None:
        return np.zeros(channels, np.int32)
    bias = reader.constant(position, "biases", ("INT32",))
    if bias.shape != (channels,):
        raise Unsupported(f"has biases of shape {list(bias.shape)} for {channels} output channels")
    if tensor.zero_points.any():
        raise Unsupported("has biases with a zero point other than 0")
    if tensor.scales.size in (1, channels):
        # A bias of 0 is 0 at any scale: converters write what they like there.
        expected = input_tensor.scale * weight_scales.astype(np.float64)
        right = np.abs(tensor.scales - expected) <= _BIAS_TOLERANCE * np.abs(expected)
        if not (right | (bias == 0)).all():
            raise Unsupported("has biases whose scale is not input scale × weight scale: damaged scales")
    elif tensor.scales.size:
        raise Unsupported(f"has {tensor.scales.size} bias scales for {channels} output channels")
    return bias
