"""A test bench's Verilog: all cases' circuits side by side, and their ports with the beats they get and must give."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Module, Shape, ShapeLike
from amaranth.lib.data import ArrayLayout
from amaranth.lib.stream import Signature
from amaranth.lib.wiring import Component, In, Member, Out, flipped
from amaranth.lib.wiring import connect as connect_interfaces

from mbconv.hdl.verilog import to_verilog

from .testbench_case import Case, Expected, Periodic
from .testbench_data import pack
from .testbench_top import Driver, data_file, top_sources

_SOURCE_POSITIONS = re.compile(r'^\s*\(\* src = "[^"]*" \*\)\n', re.MULTILINE)


@dataclass(frozen=True, eq=False)
class Port:
    """A stream port of a case with its beats as payloads; ``name`` is that of its files.

    A ``steady`` one is always valid and never stalled.
    """

    case: Case
    port: str
    name: str
    shape: ShapeLike
    payloads: list[int]
    masks: list[int] | None = None
    source: bool = True
    periodic: bool = False
    steady: bool = False

    @property
    def driver(self) -> Driver:
        return Driver(self.name, Shape.cast(self.shape).width, self.source, self.periodic, self.steady)


def _port(case: Case, index: int, port: str, member: Member) -> Port:
    source = member.flow == In
    values = (case.inputs if source else case.outputs)[port]
    shape = member.signature.members["payload"].shape
    periodic = isinstance(values, Periodic)
    mask = values.mask if isinstance(values, Expected) else None
    try:
        payloads = pack(shape, values.beats if isinstance(values, Periodic | Expected) else values)
        masks = None if mask is None else _masks(shape, values.beats, mask)
    except ValueError as error:
        raise ValueError(f"case {case.name}, port {port}: {error}") from None
    if not payloads or (not periodic and len(payloads) % case.frames):
        raise ValueError(f"case {case.name}, port {port}: {len(payloads)} beats are not {case.frames} equal frames")
    return Port(
        case, port, f"case{index}_{port}", shape, payloads, masks, source, periodic, member.signature.always_valid
    )


def _masks(shape: ShapeLike, beats: np.ndarray, mask: np.ndarray) -> list[int]:
    """For each beat the payload bits that matter."""
    leaf = shape
    while isinstance(leaf, ArrayLayout):
        leaf = leaf.elem_shape
    leaf = Shape.cast(leaf)
    ones = -1 if leaf.signed else (1 << leaf.width) - 1
    return pack(shape, np.where(np.broadcast_to(mask, np.shape(beats)), ones, 0))


def ports_of(case: Case, index: int) -> list[Port]:
    """The stream ports of a case, checked against the beats it was given.

    Raises:
        ValueError: a port that is no stream, has no beats, or beats for a port that does not exist.
    """
    members = dict(case.component.signature.members)
    streams = {n: m for n, m in members.items() if m.is_signature and isinstance(m.signature, Signature)}
    inputs = {name for name, member in streams.items() if member.flow == In}
    if bad := [n for n, m in members.items() if n not in streams and (m.is_signature or m.flow == In)]:
        raise ValueError(f"case {case.name}: the ports {', '.join(bad)} are not streams")
    for what, given, wanted in (("inputs", case.inputs, inputs), ("outputs", case.outputs, set(streams) - inputs)):
        if set(given) != wanted:
            raise ValueError(f"case {case.name}: {what} {sorted(given)} are given, the component has {sorted(wanted)}")
    if not case.outputs:
        raise ValueError(f"case {case.name}: the component has no output")
    return [_port(case, index, name, member) for name, member in streams.items()]


class _Cases(Component):
    """All cases side by side; port ``p`` of case i becomes ``case<i>_p``."""

    def __init__(self, cases: Sequence[Case], ports: Sequence[Port]):
        self.cases, self.port_list = cases, ports
        # A signal for each wire, also for a port that is always valid.
        super().__init__({p.name: (In if p.source else Out)(Signature(p.shape)) for p in ports})

    def elaborate(self, platform) -> Module:
        m = Module()
        for index, case in enumerate(self.cases):
            m.submodules[f"case{index}"] = case.component
        for port in self.port_list:
            outer, inner = flipped(getattr(self, port.name)), getattr(port.case.component, port.port)
            if port.steady:
                m.d.comb += [inner.payload.eq(outer.payload), outer.ready.eq(inner.ready)]
            else:
                connect_interfaces(m, outer, inner)
        return m


def testbench_sources(cases: Sequence[Case], ports: Sequence[Port]) -> tuple[dict[str, str], dict[str, str]]:
    """Verilog sources, top module ``mbconv_testbench``, and the files that the simulation reads: file name → text."""
    design = to_verilog(_Cases(cases, ports), "cases")
    connections = [".clk(clk), .rst(rst)"]
    for port in ports:
        connections += [f".{port.name}__{part}({port.name}__{part})" for part in ("valid", "payload", "ready")]
    instance = ["    cases cases (", ",\n".join(f"        {connection}" for connection in connections), "    );"]
    sources = {
        **top_sources([port.driver for port in ports], instance),
        # positions in the Python source would make a new build of the same circuit
        "cases.v": _SOURCE_POSITIONS.sub("", design.text),
        "primitives.v": design.primitives,
    }
    files = dict(design.memory_files)
    for port in ports:
        files |= data_file(port.driver, port.payloads)
    return sources, files
