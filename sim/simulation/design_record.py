"""What a simulation did: the beats that passed on its streams, and when; read from the files that it wrote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mbconv.generators.timing.steady import steady_interval

from ..circuits.testbench_check import read_log
from .design_source import DesignSource


@dataclass(frozen=True, eq=False)
class StreamRecord:
    """What passed on an output or at a monitor.

    Attributes:
        payloads: ``uint32 [beats, words]``, each beat's lowest word first, for :func:`.testbench_data.unpack_words`.
        ends: the cycle, since reset, of the last beat of each frame.
        stalled, starved: cycles in each frame with valid without ready, with ready without valid (monitors only).
        broken_rules: rules of streams that were broken, with the cycle.
    """

    payloads: np.ndarray
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


def read_record(design: DesignSource, folder: Path, frames: int, cached: bool) -> DesignRecord:
    """What a simulation of so many frames left in its folder."""
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
