"""Simulation of a whole design: its Verilog between sources and sinks, free-running, monitors writing files.

Python wakes only to report progress. The simulator's build does not depend on the data or on the number of frames, so
that another picture or another number of them needs no new build.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mbconv.generators.timing.steady import steady_interval

from ..bench.bench_case import ALWAYS, Pattern, Run
from ..bench.bench_check import read_log
from ..bench.bench_top import FOLDER, TOP, Driver, data_file, top_sources
from . import simulator, verilator
from .toolchain import SimulatorError
from .waves import Waves

Progress = Callable[[int, float], None]
"""Called with the cycle and the part (0 to 1) of all beats at the design's ports that have passed."""


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


@dataclass(frozen=True, eq=False)
class StreamRecord:
    """What passed on an output or at a monitor.

    Attributes:
        words: ``uint32 [beats, words]``, each beat's lowest word first, for :func:`.bench_data.unpack_words`.
        ends: the cycle, since reset, of the last beat of each frame.
        stalled, starved: cycles in each frame with valid without ready, with ready without valid (monitors only).
        broken_rules: rules of streams that were broken, with the cycle.
    """

    words: np.ndarray
    ends: list[int]
    stalled: list[int]
    starved: list[int]
    broken_rules: list[str]


@dataclass(frozen=True, eq=False)
class DesignRecord:
    """What a simulation did.

    Attributes:
        first: the cycle of the first beat that each input took; -1 if none.
        taken: the number of beats that each input took.
        streams: by the name of an output port or monitor.
        outputs: the last values of the further outputs.
        cycles: from reset to the end.
        cached: the simulator's build came from the cache.
    """

    first: dict[str, int]
    taken: dict[str, int]
    streams: dict[str, StreamRecord]
    outputs: dict[str, int]
    cycles: int
    cached: bool

    def latency(self, port: str) -> int:
        """Cycles from the first input beat taken to the last output beat of the first frame."""
        return self.streams[port].ends[0] - min(cycle for cycle in self.first.values() if cycle >= 0)

    def interval(self, port: str) -> int | None:
        """Cycles between the last output beats of the last two frames, or the mean of a rhythm; None for one frame
        (:func:`~mbconv.generators.timing.steady.steady_interval`)."""
        return steady_interval(self.streams[port].ends)


def _sources(design: DesignSource) -> dict[str, str]:
    """All Verilog of the simulation, top module ``mbconv_bench``."""
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


def run_design(
    design: DesignSource,
    beats: Mapping[str, Sequence[int]],
    expected: Mapping[str, int],
    frames: int,
    *,
    source: Pattern = ALWAYS,
    sink: Pattern = ALWAYS,
    seed: int = 1,
    reset_after: int | None = None,
    patience: int = 1_000_000,
    waves: Waves | None = None,
    progress: Progress | None = None,
    folder: Path | None = None,
    optimization: str = verilator.OPTIMIZATION,
) -> DesignRecord:
    """Simulate a design from reset until all beats went in, came out and passed the monitors, or nothing moved for a
    while.

    The last beats within may pass after the last has come out: rows that no later window reads.

    Args:
        beats: for each input the payloads of all frames; :func:`mbconv.sim.bench.bench_data.pack` makes them.
        expected: for each output the number of beats of all frames.
        frames: that the beats make up.
        source, sink: patterns of stalls at the ports.
        reset_after: first run for so many cycles and reset.
        patience: cycles without a beat at any port or monitor after which the simulation ends; records then hold what
            came.
        waves: a VCD file to write.
        progress: called about every 10,000 cycles.
        folder: where the simulation's files go and stay; a temporary folder unless given.
        optimization: of the simulator's C++.

    Raises:
        ValueError: beats or expected do not name the design's ports.
        UnknownStream: a monitor's place is not in the Verilog.
        SimulatorError: the simulator is missing, does not accept the design, or failed.
    """
    _check_ports(design, beats, expected, frames)
    build = _build(design, trace=waves is not None, optimization=optimization)
    work = Path(tempfile.mkdtemp(prefix="mbconv-sim-")) if folder is None else folder
    try:
        work.mkdir(parents=True, exist_ok=True)
        for name, text in design.memory_files.items():
            (work / name).write_text(text)
        for port in design.ports:
            payloads = beats[port.name] if port.source else range(expected[port.name])
            for name, text in data_file(Driver(port.name, port.width, port.source), payloads).items():
                (work / name).write_text(text)
        for point in design.monitors:
            (work / f"{point.name}.beats").write_text(f"{frames * point.beats:x}\n")
        run = Run(source, sink, reset_after)
        plan = {"patience": patience + sink.late, "outputs": list(design.outputs or {}), "runs": [run.plan(seed)]}
        total = sum(map(len, beats.values())) + sum(expected.values())
        simulator.run(
            build,
            work,
            "mbconv.sim.bench.cocotb_bench",
            environment={"MBCONV_BENCH_PLAN": json.dumps(plan)},
            seed=seed,
            waves=waves,
            report=None if progress is None else lambda line: progress(*_progress(line, total)),
        )
        return _record(design, work, frames, build.cached)
    finally:
        if folder is None:
            shutil.rmtree(work, ignore_errors=True)


class UnknownStream(SimulatorError):
    """A monitor's place is not in the Verilog."""


def _build(design: DesignSource, **options: Any) -> verilator.Build:
    try:
        return verilator.build(_sources(design), TOP, **options)
    except SimulatorError as error:
        instances = {f"'dut.{point.place.split('.')[0]}" for point in design.monitors}
        if "Can't find definition of" in str(error) and any(instance in str(error) for instance in instances):
            raise UnknownStream(str(error)) from None
        raise


def _progress(line: str, total: int) -> tuple[int, float]:
    cycle, moved = map(int, line.split())
    return cycle, min(moved / total, 1.0)


def _check_ports(
    design: DesignSource, beats: Mapping[str, Sequence[int]], expected: Mapping[str, int], frames: int
) -> None:
    inputs = {port.name for port in design.ports if port.source}
    outputs = {port.name for port in design.ports} - inputs
    for what, given, wanted in (("inputs", beats, inputs), ("outputs", expected, outputs)):
        if set(given) != wanted:
            raise ValueError(f"beats of the {what} {sorted(given)} are given, {design.top} has {sorted(wanted)}")
    for name, count in {**{name: len(payloads) for name, payloads in beats.items()}, **expected}.items():
        if frames < 1 or count % frames or not count:
            raise ValueError(f"{count} beats of port {name} are not {frames} equal frames")
    for port in design.ports:
        if port.source and any(payload < 0 or payload >> port.width for payload in beats[port.name]):
            raise ValueError(f"a payload of port {port.name} does not fit its {port.width} bits")


_RULES = {"changed": "the payload changed while stalled", "withdrawn": "valid was withdrawn while stalled"}


def _broken(lines: Sequence[str]) -> list[str]:
    broken = [line[1:].split() for line in lines if line[0] == "!"]
    return [f"{_RULES[rule]}, cycle {cycle}" for cycle, rule in broken]


def _sink_record(path: Path, width: int, frame: int) -> StreamRecord:
    lines = read_log(path)[0][-1]
    beats = [line.split() for line in lines if line[0] != "!"]
    size = -(-width // 32) * 4
    words = np.frombuffer(b"".join(int(text, 16).to_bytes(size, "little") for _, text in beats), "<u4")
    ends = [int(cycle) for cycle, _ in beats[frame - 1 :: frame]]
    return StreamRecord(words.reshape(len(beats), size // 4), ends, [], [], _broken(lines))


def _monitor_record(folder: Path, name: str, width: int) -> StreamRecord:
    lines = (folder / f"{name}.log").read_text().splitlines()
    frames = [tuple(map(int, line.split())) for line in lines if line[0] != "!"]
    words = np.fromfile(folder / f"{name}.bin", "<u4").reshape(-1, -(-width // 32))
    ends, stalled, starved = ([frame[i] for frame in frames] for i in range(3))
    return StreamRecord(words, ends, stalled, starved, _broken(lines))


def _record(design: DesignSource, folder: Path, frames: int, cached: bool) -> DesignRecord:
    streams = {point.name: _monitor_record(folder, point.name, point.width) for point in design.monitors}
    first, taken = {}, {}
    for port in design.ports:
        if port.source:
            facts = dict(line.split() for line in read_log(folder / f"{port.name}.log")[0][-1])
            first[port.name], taken[port.name] = int(facts.get("first", -1)), int(facts["taken"])
        else:
            count = int((folder / f"{port.name}.beats").read_text(), 16)
            streams[port.name] = _sink_record(folder / f"{port.name}.log", port.width, count // frames)
    end = json.loads((folder / "end.json").read_text())
    return DesignRecord(first, taken, streams, end["outputs"], end["cycles"], cached)
