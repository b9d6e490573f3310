"""A folder of ``mbconv emit`` and the model that it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mbconv.generators.emission.bundle import Bundle
from mbconv.generators.emission.read_bundle import MANIFEST, find_manifest, read_bundle
from mbconv.generators.graph.graph import Graph, GraphError
from mbconv.generators.readers.model_source import ModelSource, fingerprint
from mbconv.models import builtin, load_part


@dataclass(frozen=True, eq=False)
class Emitted:
    """An emitted folder: its files, the whole model, and the part of it that was emitted."""

    directory: Path
    bundle: Bundle
    model: Graph
    part: Graph


def is_emitted(model: str) -> bool:
    """Whether what a user gave as MODEL is a folder, or a manifest; a built-in name wins over a folder of the same
    name."""
    if model.startswith("block:") or builtin(model) is not None:
        return False
    path = Path(model)
    return path.is_dir() or (path.name.endswith(MANIFEST) and path.is_file())


def model_source(graph: Graph, model: str, layers: tuple[int, int] | None) -> ModelSource:
    """Where the graph of a user's MODEL came from."""
    is_file = not model.startswith("block:") and builtin(model) is None
    return ModelSource.of(graph, model, layers, is_file=is_file)


def read_emitted(directory: Path) -> Emitted:
    """The files of an emitted folder as they lie there, and its model, which is compared with the one that they were
    made from.

    Raises:
        GraphError: no manifest or one that was edited, a model that is missing or has changed; the message says what to
            do.
    """
    path = find_manifest(directory)
    bundle = read_bundle(path)
    source = bundle.manifest["source"]
    if source is None:
        raise GraphError(f"{path} does not name its model: emit the folder with mbconv emit")
    model, part = _model(path, source)
    if fingerprint(model) != source["fingerprint"]:
        raise GraphError(
            f"{source['path'] or source['model']} is not the model any more that {directory} was made from: emit "
            "again, or put the old model back"
        )
    return Emitted(directory, bundle, model, part)


def _model(path: Path, source: dict[str, Any]) -> tuple[Graph, Graph]:
    """The model by its absolute path, or else by the name that was given, and the range of it."""
    name, absolute = source["model"], source["path"]
    layers = None if source["layers"] is None else tuple(source["layers"])
    if absolute is None:
        return load_part(name, layers)
    for candidate in (absolute, name):
        if Path(candidate).is_file():
            return load_part(str(Path(candidate).absolute()), layers)
    raise GraphError(
        f"{absolute}, the model that {path.parent} was made from, is not there any more: put it back, or emit again"
    )
