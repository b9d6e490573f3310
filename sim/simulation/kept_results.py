"""Results of long simulations kept in a file, so that an interrupted series goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mbconv.generators.emission.design import Design
from mbconv.generators.emission.design_verilog import design_verilog
from mbconv.generators.graph.graph import GraphError

from .simulate import simulate
from .writable import check_writable


def fingerprint(design: Design, frames: Sequence[Mapping[int, np.ndarray]]) -> str:
    """A hash of a design's circuit, its memories, its input frames and the simulation's own sources: all that a result
    depends on."""
    verilog = design_verilog(design)
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.parent.rglob("*")):
        if path.suffix in (".py", ".v"):
            found.update(path.read_bytes())
    for text in (verilog.text, verilog.primitives, *(f"{k}\n{v}" for k, v in sorted(verilog.memory_files.items()))):
        found.update(text.encode())
    for frame in frames:
        for index in sorted(frame):
            found.update(np.ascontiguousarray(frame[index]).tobytes())
    return found.hexdigest()


class KeptResults:
    """JSON objects with a ``key``, one a line; a line that was cut off by an interruption is ignored.

    Raises:
        GraphError: the file cannot be read or written.
    """

    def __init__(self, path: Path):
        self.path = path
        self.found: dict[str, dict] = {}
        try:
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        except (OSError, UnicodeDecodeError) as error:
            raise GraphError(f"{path} cannot be read: {error}") from None
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and isinstance(entry.get("key"), str):
                self.found[entry["key"]] = entry

    def check(self) -> None:
        """Make sure that results can be kept, before the first of them is simulated.

        Raises:
            GraphError: the file cannot be written.
        """
        with self._named_when_it_fails():
            check_writable(self.path)

    def simulated(
        self, design: Design, frames: Sequence[Mapping[int, np.ndarray]], progress=None, **facts: object
    ) -> dict:
        """The result of a simulation: a kept one, or of one made now and kept with further ``facts``.

        ``ok`` is that of :class:`~mbconv.sim.simulation.simulation_result.SimulationResult`.
        """
        key = fingerprint(design, frames)
        found = self.get(key)
        if found is None:
            result = simulate(design, frames, progress=progress)
            found = result.reported() | {"ok": result.ok, "key": key, **facts}
            self.add(found)
        return found

    def get(self, key: str) -> dict | None:
        return self.found.get(key)

    def add(self, entry: dict) -> None:
        self.found[entry["key"]] = entry
        with self._named_when_it_fails(), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    @contextmanager
    def _named_when_it_fails(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            raise GraphError(f"{self.path} cannot be written: {error.strerror or error}") from None
