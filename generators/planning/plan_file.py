"""The plan as a file that a person can read and edit: ``plan.json``.

::

    {
      "format": "mbconv plan", "version": 1,
      "model": {"name": "digits", "structure": "sha256:…"},
      "target": {"multipliers": 16},
      "stages": [{"operator": 0, "name": "layer_00_convolution", "folding": {"inputs": 3, "outputs": 2}}, …],
      "lanes": [{"tensor": 3, "name": "…", "channels": 8, "lanes": 2}, …]
    }

A folding of a pointwise stage may have ``"pixels"``, the number of pixels that share groups of outputs, one where not
said; a target for a lone frame has ``"latency": true``. Foldings and lanes may be changed, and the target; names and
channels are there for the reader. Nothing that follows from these is in the file: it is counted again whenever the file
is read. ``structure`` identifies the network's shape and wiring, not its weights, on which no plan depends: a network
that is trained again keeps its plan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..emission.files import write_whole
from ..graph.graph import GraphError
from ..stages.network import Network
from .device import Board
from .folding import Folding
from .plan import Plan
from .plan_check import check_plan
from .plan_cycles import interval_of
from .targets import Target, make_target

FORMAT, VERSION = "mbconv plan", 1
MARK = f'"{FORMAT}"'.encode()
"""What the beginning of every such file has in it."""

FindBoard = Callable[[str], Board]


def structure_of(network: Network) -> str:
    """A fingerprint of a network's stages, shapes and wiring."""
    shapes = network.shapes
    content = {
        "nodes": [
            [n.operator.index, n.kind, n.inputs, n.output, n.kernel, n.strides, str(n.padding), n.reduction]
            + ([str(n.raster)] if n.raster != shapes[n.inputs[0]] else [])
            for n in network.nodes
        ],
        "shapes": [
            [t, s.height, s.width, s.channels, str(network.tensor(t).element)] for t, s in sorted(shapes.items())
        ],
        "ends": [sorted(network.inputs.items()), network.outputs, sorted(network.views)],
    }
    return "sha256:" + hashlib.sha256(json.dumps(content).encode()).hexdigest()


def plan_fields(network: Network, plan: Plan, target: Target) -> dict[str, Any]:
    """A plan and its target as the file's object."""
    stages = [
        {
            "operator": node.operator.index,
            "name": node.name,
            "folding": plan.foldings[node.operator.index].fields(),
        }
        for node, _ in network.folded
    ]
    lanes = [
        {"tensor": tensor, "name": network.tensor(tensor).name, "channels": shape.channels, "lanes": plan.lanes[tensor]}
        for tensor, shape in sorted(network.shapes.items())
    ]
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": {"name": network.graph.name, "structure": structure_of(network)},
        "target": _target_fields(target),
        "stages": stages,
        "lanes": lanes,
    }


def plan_text(network: Network, plan: Plan, target: Target) -> str:
    """A plan and its target as the file's text: a line for each stage and each stream."""
    fields = plan_fields(network, plan, target)
    tables = {key: fields.pop(key) for key in ("stages", "lanes")}
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    for key, rows in tables.items():
        body = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in rows)
        lines.append(f'  "{key}": [\n{body}\n  ]' if rows else f'  "{key}": []')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _target_fields(target: Target) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if target.board is not None:
        fields["board"] = target.board.name
    for name in ("multipliers", "interval"):
        if getattr(target, name) is not None:
            fields[name] = getattr(target, name)
    if target.fps is not None:
        fields |= {"fps": float(target.fps), "clock_mhz": float(target.clock_mhz)}
    return fields | ({"latency": True} if target.latency else {})


def write_plan(path: Path, network: Network, plan: Plan, target: Target) -> None:
    """Write a plan's file, whole or not at all: one that was edited by hand is not lost to a full disk.

    Raises:
        OSError: it cannot be written.
    """
    write_whole(path, plan_text(network, plan, target))


def read_plan(path: Path, network: Network, find_board: FindBoard | None = None) -> tuple[Plan, Target]:
    """The plan of a file, checked against the network, with its interval counted anew.

    Args:
        find_board: from the name of a board to the board; without it a plan for a board is refused.

    Raises:
        GraphError: the file is no plan, is another network's, or holds a folding or lanes that break a rule or the
            target; the message names every stage concerned and what would be right.
        OSError: it cannot be read.
    """
    try:
        return parse_plan(path.read_bytes(), network, find_board)
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from None


def parse_plan(content: bytes, network: Network, find_board: FindBoard | None = None) -> tuple[Plan, Target]:
    """:func:`read_plan` of a file's content."""
    data = _object("the plan", _json(content), ("format", "version", "model", "target", "stages", "lanes"))
    if (data["format"], data["version"]) != (FORMAT, VERSION):
        raise GraphError(
            f"this is format {data['format']!r}, version {data['version']!r}; this mbconv reads {FORMAT!r}, version "
            f"{VERSION}"
        )
    model = _object("model", data["model"], ("name", "structure"))
    if model["structure"] != structure_of(network):
        raise GraphError(
            f"this plan was made for {model['name']!r}, whose layers are not those of {network.graph.name!r}: give the "
            "same model and the same --layers, or make a plan for this one"
        )
    target = _target(data["target"], find_board)
    nodes = {node.operator.index: node for node, _ in network.folded}
    foldings = _rows(
        "stages", data["stages"], ("operator", "name", "folding"), {i: n.name for i, n in nodes.items()}, _folding
    )
    names = {tensor: network.tensor(tensor).name for tensor in sorted(network.shapes)}
    lanes = _rows("lanes", data["lanes"], ("tensor", "name", "channels", "lanes"), names, _lanes)
    check_plan(network, foldings, lanes, target)
    return Plan(foldings, lanes, interval_of(network, foldings, lanes), target.budget, target.latency), target


def _json(content: bytes) -> Any:
    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no number of a plan")

    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=refuse, object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        raise GraphError(f"it is no text (byte {error.start} is not UTF-8)") from None
    except json.JSONDecodeError as error:
        raise GraphError(f"it is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise GraphError(f"it cannot be read as JSON: {str(error)[:200]}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys occur once: of a key given twice JSON readers silently keep the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = sorted({key for key, _ in pairs if [k for k, _ in pairs].count(key) > 1})
        raise ValueError(f"{', '.join(map(repr, twice))} is given twice in one object")
    return found


def _object(what: str, value: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    """An object with exactly these keys."""
    if not isinstance(value, dict):
        raise GraphError(f"{what} must be an object with {', '.join(keys)}, not {_shown(value)}")
    missing, unknown = [key for key in keys if key not in value], [key for key in value if key not in keys]
    if missing:
        raise GraphError(f"{what} lacks {', '.join(missing)}")
    if unknown:
        raise GraphError(f"{what} has {', '.join(map(_shown, unknown))}, which means nothing here")
    return value


def _whole(what: str, value: Any) -> int:
    if type(value) is not int or not 0 < value < 1 << 32:
        raise GraphError(f"{what} must be a whole number from 1 up, not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _target(value: Any, find_board: FindBoard | None) -> Target:
    keys = ("multipliers", "fps", "clock_mhz", "board", "interval", "latency")
    if not isinstance(value, dict) or not value or set(value) - set(keys):
        raise GraphError(f"target must be an object with one of {', '.join(keys)}, not {_shown(value)}")
    for key in ("multipliers", "interval"):
        if key in value:
            _whole(f"target: {key}", value[key])
    for key in ("fps", "clock_mhz"):
        if key in value and (isinstance(value[key], bool) or not isinstance(value[key], int | float | str)):
            raise GraphError(f"target: {key} must be a number, not {_shown(value[key])}")
    if not isinstance(value.get("latency", True), bool):
        raise GraphError(f"target: latency must be true or false, not {_shown(value['latency'])}")
    if "board" in value and not isinstance(value["board"], str):
        raise GraphError(f"target: board must be a name, not {_shown(value['board'])}")
    if "board" in value:
        if find_board is None:
            raise GraphError(f"target: the board {value['board']!r} is not known here")
        value = {**value, "board": find_board(value["board"])}
    return make_target(**value)


def _rows(
    what: str, rows: Any, keys: tuple[str, ...], names: dict[int, str], parse: Callable[[str, dict], Any]
) -> dict[int, Any]:
    """The values of a list of objects by the index that each begins with, complete and each once."""
    if not isinstance(rows, list):
        raise GraphError(f"{what} must be a list, not {_shown(rows)}")
    found: dict[int, Any] = {}
    kind = keys[0]
    for place, row in enumerate(rows):
        fields = _object(f"{what}[{place}]", row, keys)
        index = fields[kind]
        if type(index) is not int or index not in names:
            known = ", ".join(map(str, names))
            raise GraphError(
                f"{what}[{place}]: {kind} {_shown(index)} has no entry in a plan of this model; {known} have"
            )
        if fields["name"] != names[index]:
            raise GraphError(f"{what}[{place}]: {kind} {index} is {names[index]!r}, not {_shown(fields['name'])}")
        if index in found:
            raise GraphError(f"{what}[{place}]: {kind} {index}, {names[index]}, is given twice")
        found[index] = parse(f"{names[index]} ({kind} {index})", fields)
    missing = [f"{kind} {index}, {name}" for index, name in names.items() if index not in found]
    if missing:
        raise GraphError(f"{what} lacks {'; '.join(missing)}")
    return found


def _folding(what: str, fields: dict) -> Folding:
    given = fields["folding"]
    keys = ("inputs", "outputs", "pixels") if isinstance(given, dict) and "pixels" in given else ("inputs", "outputs")
    folding = _object(f"{what}: folding", given, keys)
    return Folding(*(_whole(f"{what}: folding's {key}", folding[key]) for key in keys))


def _lanes(what: str, fields: dict) -> int:
    return _whole(f"{what}: lanes", fields["lanes"])
