"""From a component to Verilog text that is the same every time and from every folder."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from amaranth.back import rtlil, verilog
from amaranth.hdl import ClockDomain, Fragment, Value
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
_PRIMITIVE = re.compile(r"\bmbconv_(?=(multiply|ram|single_port_ram|rom|global_buffer)\b)")


@dataclass(frozen=True)
class Verilog:
    """The text of a design's modules, the primitives that they instantiate, and the memory files that those read.

    Attributes:
        memories, multipliers: every instance of a primitive.
        kinds: the primitives that are instantiated, by their modules' names without ``mbconv_``.
    """

    top: str
    text: str
    primitives: str
    memory_files: dict[str, str]
    memories: tuple[MemoryCell, ...] = ()
    multipliers: tuple[MultiplierCell, ...] = ()
    kinds: frozenset[str] = frozenset()


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
        near, far = _elaborated(component, top)
        bins = _bins(far)
        found = in_processes(_converted, [(near, bins[0]), *(([], jobs) for jobs in bins[1:])], runs_tools=True)
    modules = {name: text for texts, _ in found for name, text in texts.items()}
    by_part = {part: more for _, parts in found for part, more in parts.items()}
    for part, _ in far:
        cells.add(by_part[part])
    parts = [*(module.name for module in near), *(part for part, _ in far)]
    places = {name: place for place, name in enumerate(parts)}
    ordered = sorted(modules, key=lambda name: (places[_part_of(name, places)], name))
    text = _plain_module_names("\n\n".join(modules[name] for name in ordered) + "\n", top)
    files = primitive_files(cells.kinds)
    primitives = "\n".join(path.read_text(encoding="utf-8") for path in files)
    if prefix:
        text, primitives = (_PRIMITIVE.sub(f"{prefix}mbconv_", old) for old in (text, primitives))
    memories, multipliers = tuple(cells.memories), tuple(cells.multipliers)
    return Verilog(top, text, primitives, cells.memory_files(), memories, multipliers, frozenset(cells.kinds))


_FEW_MULTIPLIERS = 64  # what is worth another process
_WORK_OF_STAGE, _WORK_OF_SOURCE = 40, 2  # of what multiplies, but for its multipliers, and of what does not

Job = tuple[str, Component]


@dataclass(frozen=True)
class _Elaborated:
    """A module made apart, before its conversion."""

    name: str
    fragment: Fragment
    ports: dict[str, tuple[Value, PortDirection]]
    parts: list[Job]  # that it sets aside

    def rtlil(self) -> str:
        return rtlil.convert_fragment(self.fragment, self.ports, self.name)[0]


def _elaborated(component: Component, name: str) -> tuple[list[_Elaborated], list[Job]]:
    """A component and what of its parts is stages wired together, elaborated; and the stages."""
    near, far = [_module(component, name, is_part=False)], []
    parts = list(near[0].parts)
    while parts:
        name, component = parts.pop(0)
        if isinstance(component, StreamGraph):
            near.append(_module(component, name, is_part=True))
            parts = [*near[-1].parts, *parts]
        else:
            far.append((name, component))
    return near, far


def _module(component: Component, name: str, *, is_part: bool) -> _Elaborated:
    """A component as a module with the ports of its signature."""
    with set_aside(name) as modules:
        fragment = Fragment.get(component, None)
        directions = {In: PortDirection.Input, Out: PortDirection.Output}
        ports = {port: (value, directions[flow]) for port, value, flow in ports_of(component)}
        if is_part:  # clock and reset are ports whether or not the module needs both
            domain = ClockDomain("sync")
            fragment.add_domains(domain)
            ports |= {"clk": (domain.clk, PortDirection.Input), "rst": (domain.rst, PortDirection.Input)}
    return _Elaborated(name, fragment, ports, list(modules.parts.items()))


def _multipliers(job: Job) -> int:
    return getattr(job[1], "multipliers", 0)


def _work(job: Job) -> int:
    return _WORK_OF_STAGE + _multipliers(job) if _multipliers(job) else _WORK_OF_SOURCE


def _bins(jobs: Sequence[Job]) -> list[list[Job]]:
    """The jobs for each process, about equally much work."""
    count = max(1, min(processors(), sum(map(_multipliers, jobs)) // _FEW_MULTIPLIERS))
    bins: list[list[Job]] = [[] for _ in range(count)]
    for job in sorted(jobs, key=_work, reverse=True):
        min(bins, key=lambda bin: sum(map(_work, bin))).append(job)
    return bins


def _converted(work: tuple[list[_Elaborated], list[Job]]) -> tuple[dict[str, str], dict[str, Cells]]:
    """Verilog of modules and of further parts: each module's text, and the cells of each of those parts."""
    modules, jobs = work
    texts, found = [module.rtlil() for module in modules], {}
    for part, component in jobs:
        waiting = [(part, component)]
        with collect_cells() as found[part]:
            while waiting:
                name, component = waiting.pop(0)
                module = _module(component, name, is_part=True)
                texts.append(module.rtlil())
                waiting += module.parts
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
