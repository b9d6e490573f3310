"""Components whose Verilog is made apart: each is one module with the ports of its signature, whatever is around it.

Amaranth converts a whole hierarchy at once and names a submodule's ports after nets elsewhere; made apart, a stage's
stream ``o`` is ``o__valid``, ``o__ready`` and ``o__payload`` always, and modules can be converted by several processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from amaranth.hdl import ClockSignal, Const, Instance, ResetSignal, Value
from amaranth.lib.wiring import Component, Flow, In


@dataclass
class SeparateModules:
    """What has been set aside while the module ``name`` is elaborated: its parts by their full names."""

    name: str
    parts: dict[str, Component] = field(default_factory=dict)


_current: ContextVar[SeparateModules | None] = ContextVar("separate modules", default=None)


@contextmanager
def set_aside(name: str) -> Iterator[SeparateModules]:
    """While a module is elaborated within, :func:`separate` sets its parts aside."""
    modules = SeparateModules(name)
    token = _current.set(modules)
    try:
        yield modules
    finally:
        _current.reset(token)


def separate(component: Component, name: str) -> Component:
    """What to make the submodule ``name``: an instance of a module that is made apart, or the component itself where
    nobody sets modules aside, as in Amaranth's simulator. The component must be clocked by ``sync`` alone."""
    modules = _current.get()
    if modules is None:
        return component
    module = f"{modules.name}.{name}"
    if module in modules.parts:
        raise ValueError(f"two parts of {modules.name} are named {name}")
    modules.parts[module] = component
    return _Apart(component, module)


class _Apart(Component):
    """An instance of the module of a component: the same ports."""

    def __init__(self, component: Component, module: str):
        self._module = module
        super().__init__(component.signature)

    def elaborate(self, platform: object) -> Instance:
        ports = [("i" if flow == In else "o", name, value) for name, value, flow in ports_of(self)]
        return Instance(self._module, ("i", "clk", ClockSignal()), ("i", "rst", ResetSignal()), *ports)


def ports_of(component: Component) -> Iterator[tuple[str, Value, Flow]]:
    """The ports of a component's module, without their layouts; what is constant, as ``valid`` of a stream that is
    always valid, is none."""
    for path, member, port in component.signature.flatten(component):
        value = Value.cast(port)
        if not isinstance(value, Const):
            yield "__".join(map(str, path)), value, member.flow
