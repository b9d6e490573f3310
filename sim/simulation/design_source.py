"""A design as it is simulated: its Verilog, its streams, and where it is watched from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..circuits.testbench_top import FOLDER, Driver, top_sources


@dataclass(frozen=True)
class DesignPort:
    """A stream of a design's top module.

    Args:
        name: for files and messages.
        source: it is an input of the design.
        fields: the Verilog ports that make up a beat's payload and their widths, least significant first.
        valid, ready: the names of the Verilog ports.
    """

    name: str
    source: bool
    fields: tuple[tuple[str, int], ...]
    valid: str
    ready: str

    @property
    def width(self) -> int:
        return sum(width for _, width in self.fields)

    @classmethod
    def plain(cls, name: str, source: bool, width: int) -> DesignPort:
        """A stream as Amaranth emits it."""
        return cls(name, source, ((f"{name}__payload", width),), f"{name}__valid", f"{name}__ready")

    @classmethod
    def axi_stream(cls, name: str, source: bool, data_width: int, user_width: int = 0) -> DesignPort:
        """An AXI4-Stream ``<name>_tdata`` …; the payload is, from its lowest bit, TDATA, TKEEP, TLAST, TUSER."""
        fields = [("tdata", data_width), ("tkeep", data_width // 8), ("tlast", 1), ("tuser", user_width)]
        chosen = tuple((f"{name}_{field}", width) for field, width in fields if width)
        return cls(name, source, chosen, f"{name}_tvalid", f"{name}_tready")

    @property
    def connections(self) -> list[str]:
        """Verilog that connects the ports to the wires of the driver of this name."""
        offset, lines = 0, [f".{self.valid}({self.name}__valid)", f".{self.ready}({self.name}__ready)"]
        for field, width in self.fields:
            lines.append(f".{field}({self.name}__payload[{offset + width - 1}:{offset}])")
            offset += width
        return lines


@dataclass(frozen=True)
class MonitorPoint:
    """A stream within a design that is watched from outside.

    Args:
        name: its record will be ``streams[name]``.
        place: ``instance.….port`` within the top, a port that has ``__valid``, ``__ready`` and ``__payload``.
        width: of the payload.
        beats: of a frame.
    """

    name: str
    place: str
    width: int
    beats: int

    def lines(self, index: int) -> list[str]:
        """Verilog of the monitor, which reads the stream by its hierarchical name; its place among the drivers."""
        parts = ", ".join(f".{part}(dut.{self.place}__{part})" for part in ("valid", "ready", "payload"))
        return [
            f'    mbconv_monitor #(.WIDTH({self.width}), .BEATS({self.beats}), .NAME("{self.name}")) '
            f"watch_{self.name} (",
            f"        .clk(clk), .rst(watch_rst), {parts},",
            f"        .done(done[{index}]), .progress(progress[{index}]));",
        ]


@dataclass(frozen=True, eq=False)
class DesignSource:
    """A design to simulate.

    Args:
        verilog: file name → text of all modules.
        memory_files: file name → text, read by ``$readmemh`` from the folder of the simulation.
        top: the top module.
        ports: all its streams.
        outputs: further output ports and their widths, whose last values are recorded.
        clock, reset: names of its ports.
        reset_active_low: as AXI's ``aresetn``.
        reset_cycles: by which reset arrives later within: 1 for a design that registers it.
        monitors: streams to watch.
        turns: groups of outputs that a sink which takes turns drains one after the other: the port's name and the beats
            of its turn, of each in order.
    """

    verilog: Mapping[str, str]
    memory_files: Mapping[str, str]
    top: str
    ports: Sequence[DesignPort]
    outputs: Mapping[str, int] | None = None
    clock: str = "clk"
    reset: str = "rst"
    reset_active_low: bool = False
    reset_cycles: int = 0
    monitors: Sequence[MonitorPoint] = ()
    turns: Sequence[Sequence[tuple[str, int]]] = ()


def simulation_sources(design: DesignSource) -> dict[str, str]:
    """All Verilog of a simulation, top module ``mbconv_testbench``."""
    outputs = design.outputs or {}
    connections = [f".{design.clock}(clk)", f".{design.reset}({'~' if design.reset_active_low else ''}rst)"]
    connections += [line for port in design.ports for line in port.connections]
    connections += [f".{name}({name})" for name in outputs]
    instance = [f"    {design.top} dut (", ",\n".join(f"        {line}" for line in connections), "    );"]
    instance += _monitors(design)
    drivers = [Driver(port.name, port.width, port.source) for port in design.ports]
    further = [f"[{width - 1}:0] {name}" for name, width in outputs.items()]
    sources = top_sources(drivers, instance, further, len(design.monitors), design.turns)
    if design.monitors:
        sources["mbconv_monitor.v"] = (FOLDER / "mbconv_monitor.v").read_text()
    if clash := sources.keys() & design.verilog.keys():
        raise ValueError(f"the design's files may not be named {', '.join(sorted(clash))}")
    return {**sources, **design.verilog}


def _monitors(design: DesignSource) -> list[str]:
    """The monitors, and the reset that they see: at least as long as the design's own."""
    if not design.monitors:
        return []
    stages = design.reset_cycles
    lines = [f"    wire watch_rst = rst{' | late_rst != 0' if stages else ''};"]
    if stages:
        lines += [
            f"    reg [{stages - 1}:0] late_rst;",
            f"    always @(posedge clk) late_rst <= {f'{{late_rst[{stages - 2}:0], rst}}' if stages > 1 else 'rst'};",
        ]
        lines.insert(0, lines.pop(1))
    first = len(design.ports)
    return lines + [line for index, point in enumerate(design.monitors, first) for line in point.lines(index)]
