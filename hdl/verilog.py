"""From a component to Verilog text that is the same every time and from every folder."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from amaranth.back import rtlil, verilog
from amaranth.hdl import ClockDomain, Fragment
from amaranth.hdl._ir import PortDirection
from amaranth.lib.wiring import Component, In, Out

from .cells import Cells, MemoryCell, MultiplierCell, collect_cells
from .primitives import primitive_files
from .processes import in_processes, processors
from .separate import ports_of, set_aside
from .stream_graph import StreamGraph
from .tool_cache import ensure_tool_cache
from .verilog_text import tidy

_MODULE = re.compile(r"^(?:\(\*[^\n]*\*\)\n)*module (\S+?) ?(?:\(| #).*?^endmodule$", re.MULTILINE | re.DOTALL)
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
        near, far = _rtlil(component, top)
        bins = _bins(far)
        found = in_processes(_converted, [("".join(near.values()), bins[0]), *(("", jobs) for jobs in bins[1:])])
    modules = {name: text for texts, _ in found for name, text in texts.items()}
    by_part = {part: more for _, parts in found for part, more in parts.items()}
    for part, _ in far:
        cells.add(by_part[part])
    places = {name: place for place, name in enumerate((*near, *(part for part, _ in far)))}
    ordered = sorted(modules, key=lambda name: (places[_part_of(name, places)], name))
    text = _plain_module_names("\n\n".join(modules[name] for name in ordered) + "\n", top)
    primitives = "\n".join(path.read_text(encoding="utf-8") for path in primitive_files())
    if prefix:
        text, primitives = (_PRIMITIVE.sub(f"{prefix}mbconv_", old) for old in (text, primitives))
    return Verilog(top, text, primitives, cells.memory_files(), tuple(cells.memories), tuple(cells.multipliers))


_FEW_MULTIPLIERS = 64  # what is worth another process

Job = tuple[str, Component]


def _rtlil(component: Component, name: str) -> tuple[dict[str, str], list[Job]]:
    """RTLIL of a component and the parts that it sets aside, but for those with multipliers, which take long."""
    found, far = {}, []
    found[name], parts = _module(component, name, is_part=False)
    while parts:
        name, component = parts.pop(0)
        if getattr(component, "multipliers", 0) and not isinstance(component, StreamGraph):
            far.append((name, component))
        else:
            found[name], more = _module(component, name, is_part=True)
            parts = [*more, *parts]
    return found, far


def _module(component: Component, name: str, *, is_part: bool) -> tuple[str, list[Job]]:
    """RTLIL of a component, and what it sets aside."""
    with set_aside(name) as modules:
        fragment = Fragment.get(component, None)
        directions = {In: PortDirection.Input, Out: PortDirection.Output}
        ports = {port: (value, directions[flow]) for port, value, flow in ports_of(component)}
        if is_part:  # clock and reset are ports whether or not the module needs both
            domain = ClockDomain("sync")
            fragment.add_domains(domain)
            ports |= {"clk": (domain.clk, PortDirection.Input), "rst": (domain.rst, PortDirection.Input)}
        text, _ = rtlil.convert_fragment(fragment, ports, name)
    return text, list(modules.parts.items())


def _bins(jobs: Sequence[Job]) -> list[list[Job]]:
    """The jobs for each process, about equally much work."""
    count = max(1, min(processors(), sum(job.multipliers for _, job in jobs) // _FEW_MULTIPLIERS))
    bins: list[list[Job]] = [[] for _ in range(count)]
    for job in sorted(jobs, key=lambda job: -job[1].multipliers):
        min(bins, key=lambda bin: sum(_WORK_OF_ANY + job.multipliers for _, job in bin)).append(job)
    return bins


_WORK_OF_ANY = 20  # of a stage's control, in multipliers


def _converted(work: tuple[str, list[Job]]) -> tuple[dict[str, str], dict[str, Cells]]:
    """Verilog of RTLIL and of further parts: each module's text, and the cells of each of those parts."""
    text, jobs = work
    texts, found = [text], {}
    for part, component in jobs:
        waiting = [(part, component)]
        with collect_cells() as found[part]:
            while waiting:
                text, more = _module(waiting[0][1], waiting[0][0], is_part=True)
                texts.append(text)
                waiting = [*waiting[1:], *more]
    converted = tidy(verilog._convert_rtlil_text("".join(texts)))
    return {match[1].lstrip("\\"): match[0] for match in _MODULE.finditer(converted)}, found


def _part_of(name: str, parts: Mapping[str, int]) -> str:
    """The part that a module belongs to: its own name, or the longest that it begins with."""
    while name not in parts:
        name = name.rpartition(".")[0]
    return name


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
