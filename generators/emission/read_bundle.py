"""An emitted folder read again: its files as they are, and what became of them since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..graph.graph import GraphError
from .bundle import Bundle
from .manifest import ENGINE_SCHEMA, SCHEMA, VERSION, seal

MANIFEST = "manifest.json"


def manifest_name(prefix: str) -> str:
    """The file of the manifest: designs of several prefixes may share a folder."""
    return f"{prefix}{MANIFEST}"


def find_manifest(place: Path) -> Path:
    """The manifest of an emitted folder; a place that is a file is the manifest.

    Raises:
        GraphError: the folder has none, or several.
    """
    if not place.is_dir() or (place / MANIFEST).exists():
        return place / MANIFEST if place.is_dir() else place
    found = sorted(place.glob(f"*{MANIFEST}"))
    if len(found) > 1:
        names = ", ".join(str(path) for path in found)
        raise GraphError(f"{place} holds several designs: name the manifest of one instead of the folder ({names})")
    return found[0] if found else place / MANIFEST


def read_manifest(
    directory: Path, name: str = MANIFEST, schemas: Mapping[str, int] = MappingProxyType({SCHEMA: VERSION})
) -> dict[str, Any]:
    """The manifest of an emitted folder.

    Args:
        schemas: of manifests that are wanted → their version.

    Raises:
        GraphError: there is none, it is of another version, or it was edited; the message says what to do.
    """
    path = directory / name
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GraphError(f"{directory} has no {name}: it is no folder of mbconv emit") from None
    except OSError as error:
        raise GraphError(f"{path} cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise GraphError(f"{path} is not JSON ({str(error)[:100]}): emit again") from None
    fields: dict[str, Any] = found if isinstance(found, dict) else {}
    known = fields.get("schema")
    if known == ENGINE_SCHEMA and known not in schemas:
        raise GraphError(f"{directory} holds an engine, which has no model: its test bench is testbench/run.py there")
    if not isinstance(known, str) or known not in schemas or schemas[known] != fields.get("version"):
        raise GraphError(f"{path} is no {SCHEMA} of version {VERSION}, which this mbconv writes: emit again")
    if fields.get("seal") != seal(fields):
        raise GraphError(f"{path} is not as mbconv emit wrote it, it was edited by hand: emit again")
    return fields


def read_bundle(place: Path) -> Bundle:
    """The Verilog and the memory files of an emitted folder, edited or not, with its manifest.

    Args:
        place: the folder, or a manifest in it.

    Raises:
        GraphError: as :func:`read_manifest`; or a file that the manifest names is missing or no text.
    """
    path = find_manifest(place)
    directory = path.parent
    manifest = read_manifest(directory, path.name)
    verilog, memories = (
        {name: _text(directory, name) for name in manifest[kind]} for kind in ("verilog", "memory_files")
    )
    return Bundle(manifest["top"], verilog, memories, manifest)


def edited_files(bundle: Bundle) -> list[str]:
    """The files of a bundle that are not as they were written."""
    written = bundle.manifest["files"]
    return [
        name
        for name, text in (*bundle.verilog.items(), *bundle.memory_files.items())
        if written.get(name) != content_hash(text)
    ]


def content_hash(text: str | bytes) -> str:
    """As the manifest holds it of every file."""
    return "sha256:" + hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def _text(directory: Path, name: str) -> str:
    if Path(name).name != name:
        raise GraphError(f"the manifest of {directory} names a file outside it, {name!r}: emit again")
    try:
        return (directory / name).read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise GraphError(f"{directory / name}, which the manifest names, is missing: emit again") from None
    except OSError as error:
        raise GraphError(f"{directory / name} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise GraphError(f"{directory / name} is no text: emit again") from None
