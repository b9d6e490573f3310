"""A design's Verilog: one top module, the primitives, and the contents of its memories."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from mbconv.hdl.verilog import Verilog, to_verilog

from .design import Design
from .verilog_keywords import KEYWORDS

_RESERVED = frozenset(
    f"mbconv_{name}" for name in ("multiply", "ram", "rom", "primitives", "testbench", "source", "sink", "monitor")
)
"""Modules and files of our own, beside the design or around it in a simulation."""
_LONGEST = 100


def top_name(design: Design, prefix: str = "") -> str:
    """The top module's name: the model's, as an identifier that no keyword, module or file of ours has."""
    plain = unicodedata.normalize("NFKD", design.name).encode("ascii", "ignore").decode()
    name = re.sub(r"\W+", "_", plain, flags=re.ASCII).strip("_")[:_LONGEST] or "network"
    taken = KEYWORDS | _RESERVED
    # file systems may take capitals for small letters
    if name[0].isdigit() or prefix + name in KEYWORDS or {name.lower(), (prefix + name).lower()} & taken:
        name = f"model_{name}"
    return f"{prefix}{name}"


def primitives_name(prefix: str = "") -> str:
    """The file of the primitives."""
    return f"{prefix}mbconv_primitives.v"


def design_verilog(design: Design, prefix: str = "") -> Verilog:
    """The Verilog of a design.

    Args:
        prefix: begins the name of every module and memory file, so that two designs share one chip.
    """
    return with_prefix(to_verilog(design.top(), top_name(design, prefix), prefix), prefix)


def with_prefix(verilog: Verilog, prefix: str) -> Verilog:
    """Verilog whose memory files' names begin with a prefix."""
    if not prefix:
        return verilog
    return replace(
        verilog,
        text=verilog.text.replace('.FILE("', f'.FILE("{prefix}'),
        memory_files={f"{prefix}{name}": text for name, text in verilog.memory_files.items()},
        memories=tuple(replace(cell, name=f"{prefix}{cell.name}" if cell.name else "") for cell in verilog.memories),
    )
