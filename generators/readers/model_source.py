"""Where a design came from: its model, so that an emitted folder can be compared with it again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path

import numpy as np

from ..graph.graph import Graph


@dataclass(frozen=True)
class ModelSource:
    """A model as a user named it, and what it held then.

    Attributes:
        model: as given: a path, a built-in name or ``block:…``.
        path: the file's absolute path; None for a built-in model or a block.
        layers: the range of operators; None for all.
        fingerprint: :func:`fingerprint` of the whole model's graph.
    """

    model: str
    path: str | None
    layers: tuple[int, int] | None
    fingerprint: str

    @classmethod
    def of(cls, graph: Graph, model: str, layers: tuple[int, int] | None, *, is_file: bool) -> ModelSource:
        """The source of a graph that was read from ``model``."""
        return cls(model, str(Path(model).absolute()) if is_file else None, layers, fingerprint(graph))

    def fields(self) -> dict:
        """As the manifest holds it."""
        return {**vars(self), "layers": None if self.layers is None else list(self.layers)}


def fingerprint(graph: Graph) -> str:
    """A hash of everything that a graph computes: operators, weights, shapes and quantisation, but no names.

    What is as its default says is left out: an option that a later version reads changes no network without it, so that
    a board or folder made before is still known.
    """
    digest = hashlib.sha256()
    for part in _parts([list(graph.operators), list(graph.tensors.values()), graph.inputs, graph.outputs]):
        digest.update(len(part).to_bytes(8, "little") + part)
    return f"sha256:{digest.hexdigest()}"


def _parts(value: object) -> Iterator[bytes]:
    """A value as bytes, each part of which says what it is."""
    if isinstance(value, np.ndarray):
        little = value.astype(value.dtype.newbyteorder("<"))
        yield f"{little.dtype.str}{little.shape}".encode()
        yield np.ascontiguousarray(little).tobytes()
    elif is_dataclass(value):
        yield type(value).__name__.encode()
        for member in fields(value):
            if member.name != "name" and not _is_default(member, getattr(value, member.name)):
                yield member.name.encode()
                yield from _parts(getattr(value, member.name))
    elif isinstance(value, Mapping):
        yield from _parts(list(value.items()))
    elif isinstance(value, (list, tuple)):
        yield f"[{len(value)}]".encode()
        for item in value:
            yield from _parts(item)
    else:
        # numpy's scalars print as Python's numbers
        yield repr(value.item() if isinstance(value, np.generic) else value).encode()


def _is_default(member: Field, value: object) -> bool:
    """Whether a member holds what it holds where nothing is said."""
    default = member.default if member.default_factory is MISSING else member.default_factory()
    return default is not MISSING and not isinstance(value, np.ndarray) and bool(value == default)
