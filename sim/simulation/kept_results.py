"""Measurements of long simulations kept in a file, so that an interrupted series goes on where it was.

What was measured is kept and nothing else: what it is compared with, and what the design costs, is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import mbconv.generators.graph
from mbconv.generators.emission.bundle import Bundle
from mbconv.generators.graph.graph import Graph, GraphError
from mbconv.generators.readers.model_source import fingerprint as fingerprint_of

from .description import Description
from .packets import bundle_source
from .run_design import Progress
from .simulate import simulate_bundle
from .simulation_result import MEASURED, is_as_predicted, predictions
from .toolchain import find_toolchain
from .writable import check_writable

SCHEMA, VERSION = "mbconv kept measurement", 1
_FIRST = f'{{"schema": "{SCHEMA}"'


def fingerprint(bundle: Bundle, graph: Graph, frames: Sequence[Mapping[int, np.ndarray]]) -> str:
    """A hash of all that a measurement depends on: the circuit, its memories, what is watched in it; the graph that the
    golden model computes, and the frames; the sources of simulation and golden model, and the tools' versions."""
    found = hashlib.sha256()

    def add(*parts: str | bytes) -> None:
        for part in parts:
            data = part.encode() if isinstance(part, str) else part
            found.update(len(data).to_bytes(8, "little") + data)

    source = bundle_source(bundle)
    add(_environment(), fingerprint_of(graph), source.top, repr(source.ports), repr(source.outputs))
    add(repr(source.monitors), repr(Description.of(bundle.manifest).streams))
    for files in (source.verilog, source.memory_files):
        add(*(part for item in sorted(files.items()) for part in item))
    for frame in frames:
        for index in sorted(frame):
            values = np.ascontiguousarray(frame[index])
            add(f"{index} {values.dtype.str} {values.shape}", values.tobytes())
    return found.hexdigest()


@lru_cache(maxsize=1)
def _environment() -> str:
    """The programs that take part in a measurement."""
    found = hashlib.sha256(find_toolchain().identity.encode())
    found.update(version("numpy").encode())
    for folder in (Path(__file__).parent.parent, *map(Path, mbconv.generators.graph.__path__)):
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".v"):
                found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


class KeptResults:
    """JSON objects with a ``key``, one a line; a line that was cut off by an interruption is ignored.

    Raises:
        GraphError: the file cannot be read or written, or holds something else.
    """

    def __init__(self, path: Path):
        self.path = path
        self.found: dict[str, dict[str, Any]] = {}
        try:
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        except (OSError, UnicodeDecodeError) as error:
            raise GraphError(f"{path} cannot be read: {error}") from None
        if lines and not (any(SCHEMA in line for line in lines) or _FIRST.startswith(lines[0])):
            raise GraphError(f"{path} is there and holds no results of mbconv: give another name, or remove it")
        self._cut = bool(lines) and not _ends_a_line(path)
        for entry in _entries(lines):
            self.found[entry["key"]] = entry["measured"]

    def check(self) -> None:
        """Make sure that results can be kept, before the first of them is simulated; nothing is left behind.

        Raises:
            GraphError: the file cannot be written.
        """
        missing = [folder for folder in (self.path.parent, *self.path.parent.parents) if not folder.exists()]
        try:
            with self._named_when_it_fails():
                check_writable(self.path)
        finally:
            for folder in missing:
                with suppress(OSError):
                    folder.rmdir()

    def simulated(
        self,
        bundle: Bundle,
        graph: Graph,
        frames: Sequence[Mapping[int, np.ndarray]],
        progress: Progress | None = None,
        **facts: object,
    ) -> dict[str, Any]:
        """The result of a simulation, measured now or kept, with its predictions, ``ok`` and further ``facts``.

        ``kept`` says that the measurement is an earlier one.
        """
        key = fingerprint(bundle, graph, frames)
        measured = self.found.get(key)
        kept = measured is not None
        if measured is None:
            measured = simulate_bundle(bundle, graph, frames, progress=progress).measured()
            self._add(key, measured)
        result = {**measured, **predictions(Description.of(bundle.manifest))}
        return {**result, "ok": is_as_predicted(result), "kept": kept, **facts}

    def _add(self, key: str, measured: dict[str, Any]) -> None:
        self.found[key] = measured
        entry = {"schema": SCHEMA, "version": VERSION, "key": key, "measured": measured}
        with self._named_when_it_fails(), self.path.open("a", encoding="utf-8") as file:
            file.write("\n" * self._cut + json.dumps(entry, ensure_ascii=False) + "\n")
        self._cut = False

    @contextmanager
    def _named_when_it_fails(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            raise GraphError(f"{self.path} cannot be written: {error.strerror or error}") from None


def _ends_a_line(path: Path) -> bool:
    """Whether the last line was written to its end."""
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _entries(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The lines that are whole and of this version."""
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if (
            isinstance(entry, dict)
            and (entry.get("schema"), entry.get("version")) == (SCHEMA, VERSION)
            and isinstance(entry.get("key"), str)
            and isinstance(entry.get("measured"), dict)
            and entry["measured"].keys() == set(MEASURED)
        ):
            yield entry
