"""Weights of a single block in an ``.npz`` file.

For each layer L of the block (``expansion``, ``depthwise``, ``projection``, ``pointwise``) the keys are

=====================  ==========================  ============================================================
``L_weights``          needed                      integers: ``[Co][1][1][Ci]``, or ``[k][k][Co]`` where depthwise
``L_bias``             zeros if left out           integers ``[Co]``, in units of input scale × weight scale
``L_weight_scales``    from the weights            one number, or ``[Co]``
``L_scale``            chosen as without a file    the scale of the layer's output
``L_zero_point``       chosen as without a file    the zero point of the layer's output
=====================  ==========================  ============================================================

and ``input_scale``, ``input_zero_point``, ``add_scale``, ``add_zero_point`` for the input and the residual's ADD. In
binary fixed point scales are powers of two and zero points 0.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..graph.graph import Graph, GraphError
from ..graph.mac_operator import MacOperator

MAXIMUM_BYTES = 1 << 28


def load_block_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` file.

    Raises:
        GraphError: the file is missing, no ``.npz``, damaged, too large, or holds other than numbers.
    """
    try:
        if not Path(path).is_file():
            raise GraphError(f"weights={path}: there is no such file")
        with zipfile.ZipFile(path) as archive:
            # Compressed sizes say nothing: a small file may unfold to any size.
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAXIMUM_BYTES:
            raise GraphError(f"weights={path}: the arrays take {size} bytes; at most {MAXIMUM_BYTES} are supported")
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except GraphError:
        raise
    # What zipfile, zlib and numpy raise on damaged files has no common base.
    except Exception as error:
        raise GraphError(f"weights={path} is not a readable .npz file: {error}") from None
    for key, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf":
            raise GraphError(f"weights={path}: {key} does not hold numbers")
    return arrays


def layer_array(
    arrays: Mapping[str, np.ndarray], key: str, shape: tuple[int, ...], integers: bool, needed: bool
) -> np.ndarray | None:
    """One array of the file with the shape expected; None if it may be left out and is.

    A single number stands for a vector of scales, a matrix ``[Co][Ci]`` for pointwise weights.

    Raises:
        GraphError: the array is missing, has another shape, or holds other than integers, or scales, as expected.
    """
    if key not in arrays:
        if needed:
            raise GraphError(
                f"the weights file lacks {key}, of shape {list(shape)}; it holds {', '.join(sorted(arrays))}"
            )
        return None
    array = arrays[key]
    if integers and array.dtype.kind not in "iu":
        raise GraphError(f"the weights file's {key} holds {array.dtype}; integers are needed")
    # So far from the ends of float32 that no scale derived from these leaves it.
    if not integers and not ((array >= 2.0**-64) & (array <= 2.0**64)).all():
        raise GraphError(f"the weights file's {key} holds a scale outside 2^-64..2^64")
    if len(shape) == 4 and array.shape == (shape[0], shape[3]):
        array = array.reshape(shape)
    if array.shape != shape and not (not integers and len(shape) == 1 and array.size == 1):
        raise GraphError(f"the weights file's {key} has shape {list(array.shape)}; {list(shape)} is needed")
    return array.reshape(-1) if len(shape) == 1 else array


def block_arrays(graph: Graph) -> dict[str, np.ndarray]:
    """The arrays of a block, to be saved with :func:`numpy.savez` and given back as ``weights=FILE``."""
    arrays: dict[str, np.ndarray] = {}
    for tensor in graph.tensors.values():
        arrays[f"{tensor.name}_scale"] = np.array(tensor.scale)
        arrays[f"{tensor.name}_zero_point"] = np.array(tensor.zero_point)
    for operator in graph:
        if isinstance(operator, MacOperator):
            name = graph.tensors[operator.outputs[0]].name
            arrays[f"{name}_weights"] = operator.weights
            arrays[f"{name}_bias"] = operator.bias
            arrays[f"{name}_weight_scales"] = operator.weight_scales
    return arrays
