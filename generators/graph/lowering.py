"""What an operator of a graph becomes: a circuit, or one of the kinds of wiring.

Each operator says it (:meth:`~mbconv.generators.graph.graph.Operator.lower`); the network puts the parts together.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from .graph import NO_WINDOW, Graph, GraphError, Operator, Padding, Window


@dataclass(frozen=True)
class Circuit:
    """A stage of its own.

    Attributes:
        kind: ``pointwise``, ``depthwise``, or another circuit of ``generators/stages``.
        window: of those that have one, with all padding.
        reduction: products that one output sums.
        whole_vector: whether it reads all pixels as one vector.
        lanes_divide: numbers of channels that the lanes of its inputs divide.
    """

    kind: str
    window: Window = NO_WINDOW
    reduction: int = 0
    whole_vector: bool = False
    lanes_divide: tuple[int, ...] = ()


@dataclass(frozen=True)
class Summed:
    """What a mean over whole axes sums: ``count`` elements each, so many ``times`` in a frame one after the other."""

    times: int
    count: int


@dataclass(frozen=True)
class Wire:
    """The same elements in the same order: another name of the stream, or another raster of it."""


@dataclass(frozen=True)
class Padded:
    """The same stream, padded by the windows that read it; nothing else may."""

    padding: Padding


@dataclass(frozen=True)
class PortOrder:
    """The order in which an input's port takes its elements."""


def elementwise(kind: str, operator: Operator, graph: Graph) -> Circuit:
    """The circuit of an operator of two tensors, of which either may be repeated over the other.

    Raises:
        GraphError: they have more axes than rows, columns and channels.
    """
    shapes = [graph.tensors[tensor].shape for tensor in (*operator.inputs, *operator.outputs)]
    if len(set(shapes)) > 1 and any(prod(shape[:-3]) > 1 for shape in shapes):
        named = " and ".join(str(list(shape)) for shape in shapes[:-1])
        raise GraphError(f"repeats one of shapes {named} over the other; a circuit does it for up to three axes")
    return Circuit(kind)


Lowering = Circuit | Wire | Padded | PortOrder
