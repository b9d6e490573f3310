"""A folder of ``mbconv emit`` read again: the design that it was made from, and proof that it is still the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mbconv.generators.emission.design import Design, make_design
from mbconv.generators.emission.emit import MANIFEST
from mbconv.generators.emission.manifest import FORMAT, manifest
from mbconv.generators.graph.graph import Graph, GraphError
from mbconv.generators.planning.plan_file import parse_plan
from mbconv.generators.readers.model_source import ModelSource, fingerprint
from mbconv.generators.stages.network import build_network
from mbconv.models import builtin, load


@dataclass(frozen=True)
class Emitted:
    """An emitted folder: its manifest, the whole model, the part that was emitted, and that part's design."""

    directory: Path
    manifest: dict[str, Any]
    model: Graph
    part: Graph
    design: Design


def is_emitted(model: str) -> bool:
    """Whether what a user gave as MODEL is a folder; a built-in name wins over a folder of the same name."""
    return not model.startswith("block:") and builtin(model) is None and Path(model).is_dir()


def model_source(graph: Graph, model: str, layers: tuple[int, int] | None) -> ModelSource:
    """Where the graph of a user's MODEL came from."""
    is_file = not model.startswith("block:") and builtin(model) is None
    return ModelSource.of(graph, model, layers, is_file=is_file)


def read_emitted(directory: Path) -> Emitted:
    """The design of an emitted folder, made again from its model and plan and compared with its manifest.

    Raises:
        GraphError: no manifest or one that was edited, a model that is missing or has changed; the message says what to
            do.
    """
    path = directory / MANIFEST
    found = _manifest(path)
    source = found.get("source")
    if source is None:
        raise GraphError(f"{path} does not name its model: emit the folder with mbconv emit")
    try:
        layers = None if source["layers"] is None else tuple(map(int, source["layers"]))
        model, prefix, plan = _model(path, source), str(found["prefix"]), json.dumps(found["plan"]).encode()
        recorded = str(source["fingerprint"])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, GraphError):
            raise
        raise GraphError(f"{path} is not as mbconv emit wrote it ({error!r}): emit again") from None
    if fingerprint(model) != recorded:
        raise GraphError(
            f"{source.get('path') or source['model']} is not the model any more that {directory} was made from: emit "
            "again, or put the old model back"
        )
    part = model if layers is None else model.layers(*layers)
    try:
        plan, target = parse_plan(plan, build_network(part))
    except GraphError as error:
        raise GraphError(f"{path}: its plan is not as mbconv emit wrote it: {error}") from None
    design = make_design(part, plan=plan)
    _compare(path, found, manifest(design, prefix, None, target))
    return Emitted(directory, found, model, part, design)


def _manifest(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GraphError(f"{path.parent} has no {path.name}: it is no folder of mbconv emit") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise GraphError(f"{path} is not JSON ({str(error)[:100]}): emit again") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise GraphError(f"{path} is no manifest of format {FORMAT}, which this mbconv writes: emit again")
    return found


def _model(path: Path, source: dict[str, Any]) -> Graph:
    """The model by its absolute path, or else by the name that was given."""
    name, absolute = str(source["model"]), source["path"]
    if absolute is None:
        return load(name)
    for candidate in (str(absolute), name):
        if Path(candidate).is_file():
            return load(str(Path(candidate).absolute()))
    raise GraphError(
        f"{absolute}, the model that {path.parent} was made from, is not there any more: put it back, or emit again"
    )


def _compare(path: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Every entry that follows from model and plan must be what follows."""
    wanted = json.loads(json.dumps(wanted))
    for key, value in wanted.items():
        if key in ("versions", "source") or found.get(key) == value:
            continue
        same = found.get("versions") == wanted["versions"]
        what = "edited by hand" if same else "edited by hand, or made by another version of mbconv"
        place, old, new = _first_difference(key, found.get(key), value)
        raise GraphError(f"{path}: {place} is {old}, model and plan give {new}: it was {what}; emit again")


def _first_difference(place: str, found: Any, wanted: Any) -> tuple[str, str, str]:
    """Where two JSON values differ first, and what is there."""
    if isinstance(found, dict) and isinstance(wanted, dict) and found.keys() == wanted.keys():
        pairs = [(f"{place}.{key}", found[key], wanted[key]) for key in wanted]
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        pairs = [(f"{place}[{index}]", *pair) for index, pair in enumerate(zip(found, wanted, strict=True))]
    else:
        return place, _shown(found), _shown(wanted)
    return _first_difference(*next(pair for pair in pairs if pair[1] != pair[2]))


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
