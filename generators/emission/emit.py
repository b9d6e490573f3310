"""A design written to a folder: Verilog, memory files, manifest, summary and FuseSoC core, all of them or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..graph.graph import GraphError
from ..planning.targets import Target
from ..readers.model_source import ModelSource
from .bundle import Bundle, make_bundle
from .core_file import core_file
from .design import Design
from .folder import write_files
from .litex_module import litex_module, litex_module_name
from .manifest import SCHEMAS, seal
from .read_bundle import content_hash, manifest_name, read_manifest
from .summary import summary

Say = Callable[[str], None]


def emit(
    design: Design | Bundle,
    directory: Path,
    prefix: str = "",
    source: ModelSource | None = None,
    target: Target | None = None,
    testbench: Mapping[str, str] | None = None,
    *,
    litex: bool = False,
    overwrite: bool = False,
    say: Say | None = None,
) -> dict[str, Any]:
    """Write a design and return its manifest.

    Files of an earlier emission of the same prefix that this one does not have are removed if they still are what was
    written; all others are left alone.

    Args:
        design: a design, or the bundle that was made of one, which settles the next three.
        prefix, source, target: see :func:`~.bundle.make_bundle`.
        testbench: further files, relative path → text.
        litex: add a module of LiteX, :mod:`.litex_module`.
        overwrite: replace files in the way that are not an earlier emission's, or were changed since.
        say: called with a line about every file that was removed, or kept although it is an earlier emission's.

    Raises:
        GraphError: the folder cannot be written, or a file that is not ours is in the way.
    """
    bundle = design if isinstance(design, Bundle) else make_bundle(design, prefix, source, target)
    texts = {**bundle.verilog, **bundle.memory_files, **(testbench or {})}
    texts[f"{bundle.top}.core"] = core_file(bundle, sorted(testbench or {}))
    texts[f"{bundle.top}.md"] = summary(bundle, testbench=bool(testbench))
    if litex:
        texts[litex_module_name(bundle)] = litex_module(bundle)
    return write_bundle(bundle, directory, texts, overwrite=overwrite, say=say)


def write_bundle(
    bundle: Bundle, directory: Path, texts: dict[str, str], *, overwrite: bool = False, say: Say | None = None
) -> dict[str, Any]:
    """Write the files of a bundle with its manifest, and return that; see :func:`emit`.

    Args:
        texts: all files but the manifest, relative path → text.
    """
    described = {**bundle.manifest, "files": {name: content_hash(text) for name, text in sorted(texts.items())}}
    described["seal"] = seal(described)
    name = manifest_name(described["prefix"])
    earlier = _earlier(directory, name)
    text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
    texts[name] = text.encode(errors="backslashreplace").decode()  # of paths that are no UTF-8: JSON's own escapes
    try:
        written = write_files(directory, texts, earlier, name, overwrite=overwrite)
    except OSError as error:
        raise GraphError(f"{error.filename or directory} cannot be written: {error.strerror or error}") from None
    for text, names in (
        ("removed, of an earlier emission", written.removed),
        ("kept, changed since an earlier emission", written.kept),
    ):
        for file in names:
            if say is not None:
                say(f"{directory / file}: {text}")
    return described


def _earlier(directory: Path, name: str) -> dict[str, str]:
    """The files of an earlier emission, the manifest among them, and the hashes of what was written."""
    try:
        found = read_manifest(directory, name, SCHEMAS)
        files = dict(found["files"])
        return files | {name: content_hash((directory / name).read_bytes())}
    except (GraphError, OSError, ValueError, TypeError, KeyError):
        return {}
