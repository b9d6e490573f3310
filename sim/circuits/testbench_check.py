"""Compares the logs of a test bench's sources and sinks with what each case expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .testbench_case import Case, Measurement, Run
from .testbench_data import element_at, element_value
from .testbench_verilog import Port

Attempts = list[list[str]]
"""The lines of a run: one list for each reset within it; all but the last were cut short."""


def read_log(path: Path) -> dict[int, Attempts]:
    """A source's or sink's log, by run."""
    runs: dict[int, Attempts] = {}
    current: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("run "):
            current = []
            runs.setdefault(int(line[4:]), []).append(current)
        else:
            current.append(line)
    return runs


def check_run(
    case: Case, ports: Sequence[Port], logs: Mapping[str, Attempts], run: Run
) -> tuple[list[str], Measurement | None]:
    """What is wrong with a case in a run, and its cycles if nothing stalled and all beats came."""
    failures: list[str] = []
    starts: list[int] = []
    ends: dict[str, list[int]] = {}
    for port in ports:
        attempts = logs[port.name]
        if len(attempts) != (1 if run.reset_after is None else 2):
            failures.append(f"port {port.port} saw {len(attempts)} resets")
            continue
        if port.source:
            failures += _check_source(port, attempts[-1], starts)
            continue
        for attempt in attempts:
            complete = attempt is attempts[-1]
            beats = [line for line in attempt if line[0] != "!"]
            failures += _check_rules(port, attempt)
            failures += _check_beats(port, beats, complete)
        if len(beats) == len(port.payloads):
            size = len(beats) // case.frames
            ends[port.port] = [int(beat.split()[0]) for beat in beats[size - 1 :: size]]
    outputs = [port for port in ports if not port.source]
    if not run.unstalled or len(ends) != len(outputs) or not starts:
        return failures, None
    measured = Measurement(
        case.name,
        {name: cycles[-1] - cycles[-2] for name, cycles in ends.items() if len(cycles) > 1},
        {name: cycles[0] - min(starts) for name, cycles in ends.items()},
    )
    return failures + _check_cycles(case, measured), measured


def _check_source(port: Port, lines: Sequence[str], starts: list[int]) -> list[str]:
    """Whether all beats were taken; ``starts`` gets the cycle of the first."""
    if port.periodic:
        return []
    facts = dict(line.split() for line in lines)
    if "first" in facts:
        starts.append(int(facts["first"]))
    if int(facts["taken"]) == len(port.payloads):
        return []
    return [f"port {port.port}: only {facts['taken']} of its {len(port.payloads)} beats were taken"]


def _check_rules(port: Port, lines: Sequence[str]) -> list[str]:
    texts = {
        "changed": "its payload changed while it was stalled",
        "withdrawn": "it withdrew valid while it was stalled",
    }
    broken = [line[1:].split() for line in lines if line[0] == "!"]
    return [f"port {port.port}: {texts[rule]}, cycle {cycle} after reset" for cycle, rule in broken]


def _check_beats(port: Port, beats: Sequence[str], complete: bool) -> list[str]:
    """The first difference; beats cut short by a reset must be right as far as they go."""
    frame_size = len(port.payloads) // port.case.frames
    for index, (line, expected) in enumerate(zip(beats, port.payloads, strict=False)):
        cycle, text = line.split()
        got = int(text, 16)
        difference = got ^ expected
        if port.masks is not None:
            difference &= port.masks[index]
        if difference:
            path, offset, shape = element_at(port.shape, (difference & -difference).bit_length() - 1)
            return [
                f"port {port.port}, frame {index // frame_size}, beat {index % frame_size}, element {path or 'whole'}: "
                f"expected {element_value(expected, offset, shape)}, got {element_value(got, offset, shape)}, "
                f"cycle {cycle} after reset"
            ]
    if len(beats) > len(port.payloads):
        cycle = beats[len(port.payloads)].split()[0]
        return [f"port {port.port} gave more than its {len(port.payloads)} beats, cycle {cycle} after reset"]
    if complete and len(beats) < len(port.payloads):
        return [
            f"port {port.port} stopped after {len(beats)} of {len(port.payloads)} beats: a deadlock, or beats were lost"
        ]
    return []


def _check_cycles(case: Case, measured: Measurement) -> list[str]:
    failures = []
    if case.interval is not None:
        if not measured.intervals:
            failures.append("an interval is expected, which needs at least two frames")
        failures += [
            f"port {port}: the interval is {cycles} cycles, expected {case.interval}"
            for port, cycles in measured.intervals.items()
            if cycles != case.interval
        ]
    if case.latency is not None:
        low, high = case.latency if isinstance(case.latency, tuple) else (case.latency, case.latency)
        latency = max(measured.latencies.values())
        if not low <= latency <= high:
            expected = str(low) if low == high else f"{low} to {high}"
            failures.append(f"the latency is {latency} cycles, expected {expected}")
    return failures
