"""From a component to Verilog text that is the same every time and from every folder."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from amaranth.back import rtlil, verilog
from amaranth.hdl import ClockDomain, Fragment
from amaranth.hdl._ir import PortDirection
from amaranth.lib.wiring import Component, In

from .cells import MemoryCell, MultiplierCell, collect_cells
from .primitives import primitive_files
from .separate import as_value, set_aside
from .tool_cache import ensure_tool_cache
from .verilog_text import tidy

_PRIMITIVE = re.compile(r"\bmbconv_(?=(multiply|ram|rom)\b)")


@dataclass(frozen=True)
class Verilog:
    """The text of a design's modules, the primitives that they instantiate, and the memory files that those read.

    Attributes:
        memories, multipliers: every instance of a primitive.
    """

    top: str
    text: str
    primitives: str
    memory_files: dict[str, str]
    memories: tuple[MemoryCell, ...] = ()
    multipliers: tuple[MultiplierCell, ...] = ()


def to_verilog(component: Component, top: str, prefix: str = "") -> Verilog:
    """Verilog-2005 of a component as module ``top``; the modules below are ``top.<path>`` turned into identifiers.

    Args:
        component: its ports become the module's, the clock ``clk`` and the synchronous reset ``rst`` beside them.
        top: the name of the top module, with which every other module's name begins.
        prefix: put before the primitives' names as well, so that two designs share one chip.

    Raises:
        CacheError: Amaranth's Yosys finds no folder that it could write.
    """
    ensure_tool_cache()
    with collect_cells() as cells, no_garbage_collection():
        rtlil_text = "".join(_rtlil(component, top))
        text = verilog._convert_rtlil_text(rtlil_text)
    text = _plain_module_names(tidy(text), top)
    primitives = "\n".join(path.read_text(encoding="utf-8") for path in primitive_files())
    if prefix:
        text, primitives = (_PRIMITIVE.sub(f"{prefix}mbconv_", old) for old in (text, primitives))
    return Verilog(top, text, primitives, cells.memory_files(), tuple(cells.memories), tuple(cells.multipliers))


def _rtlil(component: Component, name: str, *, is_part: bool = False) -> Iterator[str]:
    """RTLIL of a component, then of the parts that it sets aside."""
    with set_aside(name) as modules:
        fragment = Fragment.get(component, None)
        ports = {
            "__".join(map(str, path)): (
                as_value(value),
                PortDirection.Input if member.flow == In else PortDirection.Output,
            )
            for path, member, value in component.signature.flatten(component)
        }
        if is_part:  # clock and reset are ports whether or not the module needs both
            domain = ClockDomain("sync")
            fragment.add_domains(domain)
            ports |= {"clk": (domain.clk, PortDirection.Input), "rst": (domain.rst, PortDirection.Input)}
        text, _ = rtlil.convert_fragment(fragment, ports, name)
    yield text
    for part, inner in modules.parts.items():
        yield from _rtlil(inner, part, is_part=True)


def _plain_module_names(text: str, top: str) -> str:
    """Amaranth names a submodule's module ``\\top.path``; plain identifiers read better and suit every tool."""
    found = re.compile(r"\\(" + re.escape(top) + r"\.[^\s]+) ")
    names: dict[str, str] = {}
    for escaped in dict.fromkeys(found.findall(text)):
        name = wanted = re.sub(r"\W", "_", escaped)
        count = 1
        while name in names.values():  # a.b_c and a_b.c
            count += 1
            name = f"{wanted}_{count}"
        names[escaped] = name
    return found.sub(lambda match: names[match[1]] + " ", text)


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Amaranth makes millions of small objects and hardly any cycle: a large design is done sooner without."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
