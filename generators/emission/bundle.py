"""What is emitted of a design, made once: the text of its Verilog, its memories, its manifest.

Everything behind it (simulation, synthesis, files in a folder) takes a bundle and looks at no design: what is
simulated or built is the text that is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mbconv.hdl.memory_directory import MEMORY_DIRECTORY, with_memory_directory
from mbconv.hdl.verilog import Verilog

from ..planning.targets import Target
from ..readers.model_source import ModelSource
from .design import Design
from .design_verilog import design_verilog, primitives_name
from .manifest import manifest

MEMORY_DIRECTORY_MEANS = "Folder of the memory files, ends with a slash"


@dataclass(frozen=True, eq=False)
class Bundle:
    """An emitted design.

    Attributes:
        top: the top module.
        verilog: file name → text: the design's modules, then the primitives.
        memory_files: file name → text, for ``$readmemh``.
        manifest: what a user has to know; :mod:`.manifest` says what it holds.
        made: the modules before the folder of their memories became a parameter, with the list of their memories and
            multipliers, for those who replace the primitives; None where the bundle was read from a folder.
    """

    top: str
    verilog: dict[str, str]
    memory_files: dict[str, str]
    manifest: dict[str, Any]
    made: Verilog | None = None

    def __repr__(self) -> str:
        size = sum(map(len, (*self.verilog.values(), *self.memory_files.values())))
        return f"<Bundle {self.top}: {len(self.verilog)} Verilog and {len(self.memory_files)} memory files, {size:,} B>"


def make_bundle(
    design: Design, prefix: str = "", source: ModelSource | None = None, target: Target | None = None
) -> Bundle:
    """Emit a design into memory.

    Args:
        prefix: begins every module's and every memory file's name.
        source, target: of the design, for the manifest; a folder without a source cannot be simulated again.
    """
    return bundle_of(design_verilog(design, prefix), manifest(design, prefix, source, target), prefix)


def bundle_of(made: Verilog, described: dict[str, Any], prefix: str = "") -> Bundle:
    """Verilog and what is known of the design as a bundle; the manifest gains what the Verilog says of memories."""
    described["parameters"] = {MEMORY_DIRECTORY: MEMORY_DIRECTORY_MEANS} if made.memory_files else {}
    described["memory_files"] = sorted(made.memory_files)
    described["memories"] = [
        {"kind": cell.kind, "width": cell.width, "depth": cell.depth} | ({"file": cell.file} if cell.file else {})
        for cell in made.memories
    ]
    verilog = {f"{made.top}.v": with_memory_directory(made.text, made.top), primitives_name(prefix): made.primitives}
    return Bundle(made.top, verilog, made.memory_files, described, made)
