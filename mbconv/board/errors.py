"""What can go wrong between a host and a board."""

from __future__ import annotations

from mbconv.generators.graph.graph import GraphError


class BoardError(GraphError):
    """The board does not do what was asked; the message says why and what to do."""


class BoardMissing(BoardError):
    """There is no device at the port, it went away, or it may not be opened."""


class ForeignMemory(BoardError):
    """The memory outside a board's engine holds weights of another network, or damaged ones."""


class WrongNetwork(BoardError):
    """The board holds another network than the one asked for."""
