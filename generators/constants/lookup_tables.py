"""Unary operators as tables: the result for every value of an element, for all channels or for each.

Each operator computes its own (:meth:`~mbconv.generators.graph.table_operator.TableOperator.tables`).
"""

from __future__ import annotations

import numpy as np

from ..graph.graph import Graph, GraphError, Operator
from ..graph.table_operator import TableOperator


def lookup_tables(op: Operator, graph: Graph) -> np.ndarray:
    """The tables of an operator of one element.

    Returns:
        int64 ``[1][2^bits]``, or ``[channels][2^bits]`` for constants of each channel's own; the entries in ascending
        order of the input's values, as :class:`~mbconv.hdl.lookup.Lookup` takes them.

    Raises:
        GraphError: an operator that is no :class:`TableOperator`, in binary fixed point, or on elements of more than 16
            bits.
    """
    where = f"operator {op.index} {op.kind}"
    if not isinstance(op, TableOperator) or not op.by_channel:
        raise GraphError(f"{where} is no function of one element and its channel")
    if op.numbers != "affine" and not op.FIXED_POINT:
        raise GraphError(f"{where} is not defined in binary fixed point; only convolutions and ADD are")
    input_tensor, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    if input_tensor.element.bits > 16:
        raise GraphError(
            f"{where} reads {input_tensor.element}; a table has at most 16 bits of address: quantise to int8"
        )
    values = np.arange(input_tensor.element.minimum, input_tensor.element.maximum + 1, dtype=np.int64)[None, :]
    return op.tables(input_tensor, output, values)
