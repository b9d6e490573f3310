"""What an operator of a graph becomes: a circuit, or one of the kinds of wiring.

Each operator says it (:meth:`~mbconv.generators.graph.graph.Operator.lower`); the network puts the parts together.
"""

from __future__ import annotations

from dataclasses import dataclass

from .graph import NO_WINDOW, Padding, Window


@dataclass(frozen=True)
class Circuit:
    """A stage of its own.

    Attributes:
        kind: ``pointwise``, ``depthwise``, or another circuit of ``generators/stages``.
        window: of those that have one, with all padding.
        reduction: products that one output sums.
        whole_vector: whether it reads all pixels as one vector.
    """

    kind: str
    window: Window = NO_WINDOW
    reduction: int = 0
    whole_vector: bool = False


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


Lowering = Circuit | Wire | Padded | PortOrder
