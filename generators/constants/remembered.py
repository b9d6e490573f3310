"""What was found of a graph and does not depend on its plan: found once, however many designs are made of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar, cast
from weakref import WeakKeyDictionary

from ..graph.graph import Graph

T = TypeVar("T")

_found: WeakKeyDictionary[Graph, dict[Hashable, object]] = WeakKeyDictionary()


def remembered(graph: Graph, key: Hashable, find: Callable[[], T]) -> T:
    """What ``find`` gives, kept as long as the graph is; an error is found again by whoever asks again."""
    known = _found.setdefault(graph, {})
    if key not in known:
        known[key] = find()
    return cast(T, known[key])


def recall(graph: Graph, key: Hashable) -> object | None:
    """What is known by a key; None if nothing is."""
    return _found.setdefault(graph, {}).get(key)


def remember(graph: Graph, key: Hashable, value: object) -> None:
    """Keep what another process found."""
    _found.setdefault(graph, {})[key] = value
