"""Simulation of a whole design: its Verilog between sources and sinks, free-running, monitors writing files.

Python wakes only to report progress. The simulator's build does not depend on the data or on the number of frames, so
that another picture or another number of them needs no new build.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..circuits.testbench_case import ALWAYS, Pattern, Run
from ..circuits.testbench_top import TOP, Driver, data_file
from . import simulator, verilator
from .design_record import DesignRecord, read_record
from .design_source import DesignSource, simulation_sources
from .toolchain import SimulatorError
from .waves import Waves

Progress = Callable[[int, float], None]
"""Called with the cycle and the part (0 to 1) of all beats at the design's ports that have passed."""


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
    optimization: str | None = None,
) -> DesignRecord:
    """Simulate a design from reset until all beats went in, came out and passed the monitors, or nothing moved for a
    while.

    The last beats within may pass after the last has come out: rows that no later window reads.

    Args:
        beats: for each input the payloads of all frames; :func:`mbconv.sim.circuits.testbench_data.pack` makes them.
        expected: for each output the number of beats of all frames.
        frames: that the beats make up.
        source, sink: patterns of stalls at the ports.
        reset_after: first run for so many cycles and reset.
        patience: cycles without a beat at any port or monitor after which the simulation ends; records then hold what
            came.
        waves: a VCD file to write.
        progress: called about every 10,000 cycles.
        folder: where the simulation's files go and stay; a temporary folder unless given.
        optimization: of the simulator's C++; see :func:`.verilator.build`.

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
            "mbconv.sim.circuits.cocotb_testbench",
            environment={"MBCONV_BENCH_PLAN": json.dumps(plan)},
            seed=seed,
            waves=waves,
            report=None if progress is None else lambda line: progress(*_progress(line, total)),
        )
        return read_record(design, work, frames, build.cached)
    finally:
        if folder is None:
            shutil.rmtree(work, ignore_errors=True)


class UnknownStream(SimulatorError):
    """A monitor's place is not in the Verilog."""


def _build(design: DesignSource, **options: Any) -> verilator.Build:
    try:
        return verilator.build(simulation_sources(design), TOP, **options)
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
