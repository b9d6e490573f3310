"""What a simulation of a design showed: its outputs checked and compared, its cycles beside those predicted."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mbconv.generators.graph.graph import GraphError
from mbconv.generators.graph.shown import counted

from .axi_frames import read_frames
from .description import Description, StreamDescription
from .design_record import DesignRecord

MEASURED = (
    "mismatches",
    "elements",
    "frames",
    "interval_cycles",
    "latency_cycles",
    "unstalled",
    "cycles",
    "seconds",
    "first_mismatch",
    "streams",
)
"""What a simulation measured, and :func:`predictions` what was expected: together a result as commands print it."""


PREDICTED = (
    "predicted_interval_cycles",
    "predicted_latency_cycles",
    "multipliers",
    "budget",
    "macs",
    "mac_efficiency",
    "mac_efficiency_used",
)


def predictions(description: Description) -> dict[str, Any]:
    """What a result is compared with, and what the design costs."""
    macs, interval = description.macs, description.interval
    return {
        "predicted_interval_cycles": interval,
        "predicted_latency_cycles": description.latency,
        "multipliers": description.multipliers,
        "budget": description.budget,
        "macs": macs,
        "mac_efficiency": _efficiency(macs, description.budget, interval),
        "mac_efficiency_used": _efficiency(macs, description.multipliers, interval),
    }


def is_as_predicted(result: Mapping[str, Any]) -> bool:
    """Every element equal and, where nothing stalled at the ports, interval (of several frames) and latency as
    predicted."""
    if result["mismatches"]:
        return False
    return not result["unstalled"] or (
        result["interval_cycles"] in (None, result["predicted_interval_cycles"])
        and result["latency_cycles"] == result["predicted_latency_cycles"]
    )


@dataclass(frozen=True)
class Mismatch:
    """The first element that differs: of which stage's stream, where, and both values."""

    stage: str
    tensor: int
    frame: int
    row: int
    column: int
    channel: int
    simulated: int
    expected: int

    def __str__(self) -> str:
        return (
            f"{self.stage} (tensor {self.tensor}), frame {self.frame}, row {self.row}, column {self.column}, "
            f"channel {self.channel}: {self.simulated} instead of {self.expected}"
        )


@dataclass(frozen=True)
class StreamResult:
    """What passed on a stream within the design.

    Attributes:
        stalled, starved: cycles, in the time of each frame, with a beat that its reader did not take, and with a reader
            that had no beat.
    """

    stage: str
    tensor: int
    beats: int
    mismatches: int
    stalled: tuple[int, ...]
    starved: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "stalled": list(self.stalled), "starved": list(self.starved)}


@dataclass(frozen=True, eq=False, repr=False)
class SimulationResult:
    """What a simulation showed.

    Attributes:
        mismatches, elements: over everything that was compared.
        stream_mismatches: mismatches by tensor, of all tensors compared.
        streams: that were watched, in the order of the network.
        interval_cycles: between the last output beats of the last two frames (or the mean of a rhythm, see
            :meth:`~.run_design.DesignRecord.interval`), the greatest of all outputs (parts that
            share no tensor may each keep a pace of its own); None for one frame.
        unstalled: sources were always valid, sinks always ready.
        seconds: of the whole, the simulator's build included.
        outputs: elements of each output tensor, ``[frames, pixels, channels]``.
    """

    mismatches: int
    elements: int
    frames: int
    first_mismatch: str | None
    stream_mismatches: dict[int, int]
    streams: tuple[StreamResult, ...]
    interval_cycles: int | None
    predicted_interval_cycles: int
    latency_cycles: int
    predicted_latency_cycles: int
    unstalled: bool
    multipliers: int
    budget: int
    macs: int
    mac_efficiency: float | None
    mac_efficiency_used: float | None
    seconds: float
    cycles: int
    cached: bool
    outputs: dict[int, np.ndarray]
    record: DesignRecord

    @property
    def ok(self) -> bool:
        """See :func:`is_as_predicted`."""
        return is_as_predicted(self.to_dict())

    def measured(self) -> dict[str, Any]:
        """The values of :data:`MEASURED`."""
        return {name: getattr(self, name) for name in MEASURED if name != "streams"} | {
            "streams": [stream.to_dict() for stream in self.streams]
        }

    def to_dict(self) -> dict[str, Any]:
        """What was measured and what was predicted, as plain numbers and text."""
        return self.measured() | {name: getattr(self, name) for name in PREDICTED}

    def __repr__(self) -> str:
        return (
            f"<SimulationResult: {counted(self.mismatches, 'mismatch')} in {counted(self.elements, 'element')} of "
            f"{counted(self.frames, 'frame')}, interval {self.interval_cycles} cycles "
            f"(predicted {self.predicted_interval_cycles}), latency "
            f"{self.latency_cycles} (predicted {self.predicted_latency_cycles})>"
        )


Comparison = tuple[int, np.ndarray, np.ndarray]
"""A tensor, its elements as simulated and as expected, ``[frames, pixels, channels]``."""


def checked_outputs(description: Description, record: DesignRecord, frames: int) -> dict[int, np.ndarray]:
    """The elements ``[frames, pixels, channels]`` of every output tensor.

    Raises:
        GraphError: a stream broke a rule, an output stopped, a mark at the edges is wrong.
    """
    broken = [f"{name}: {rule}" for name, stream in record.streams.items() for rule in stream.broken_rules]
    if broken:
        raise GraphError("a stream broke a rule of its protocol:\n  " + "\n  ".join(broken))
    outputs, problems = {}, []
    for name, ports in description.packets.items():
        words, beats = record.streams[name].payloads, sum(port.beats for port in ports)
        if len(words) < frames * beats:
            raise GraphError(
                f"the simulation stood still after {record.cycles:,} cycles: {len(words):,} of {frames * beats:,} "
                f"output beats of {name} came"
            )
        problems += [f"{name} gave {len(words) - frames * beats} beats too many"] if len(words) > frames * beats else []
        first, whole = 0, words[: frames * beats].reshape(frames, beats, -1)
        for port in ports:
            packets = whole[:, first : first + port.beats]
            outputs[port.tensor], found = read_frames(port, packets.reshape(frames * port.beats, -1))
            problems += found
            first += port.beats
    problems += [f"{name} is {value}" for name, value in record.outputs.items() if value]
    if problems:
        raise GraphError("the AXI4-Stream edges are wrong:\n  " + "\n  ".join(problems))
    return outputs


def make_result(
    description: Description,
    record: DesignRecord,
    frames: int,
    outputs: Mapping[int, np.ndarray],
    comparisons: Iterable[Comparison],
    started: float,
    unstalled: bool,
) -> SimulationResult:
    """Compare, and put the measured cycles beside the predicted.

    Args:
        comparisons: in the order of the network, so that the first mismatch is the one nearest to its cause.
        started: ``time.monotonic()`` at the beginning.
        unstalled: sources were always valid, sinks always ready.
    """
    mismatches: dict[int, int] = {}
    elements, first = 0, None
    for tensor, simulated, expected in comparisons:
        wrong = simulated != expected
        mismatches[tensor] = mismatches.get(tensor, 0) + int(wrong.sum())
        elements += wrong.size
        if first is None and wrong.any():
            first = _mismatch(description, tensor, simulated, expected, wrong)
    latencies = {name: record.latency(name) for name in description.packets}
    slowest = max(latencies, key=lambda name: latencies[name])
    return SimulationResult(
        mismatches=sum(mismatches.values()),
        elements=elements,
        frames=frames,
        first_mismatch=None if first is None else str(first),
        stream_mismatches=mismatches,
        streams=tuple(
            _stream(stream, record, mismatches, frames)
            for stream in description.streams
            if stream.name in record.streams
        ),
        interval_cycles=_interval(description, record, frames),
        latency_cycles=latencies[slowest],
        unstalled=unstalled,
        seconds=time.monotonic() - started,
        cycles=record.cycles,
        cached=record.cached,
        outputs=dict(outputs),
        record=record,
        **predictions(description),
    )


def _interval(description: Description, record: DesignRecord, frames: int) -> int | None:
    """The greatest interval of all outputs; None where too few frames were given for several outputs to show theirs."""
    if len(description.outputs) > 1 and frames < description.frames_to_measure:
        return None
    return max(filter(None, map(record.interval, description.packets)), default=None)


def _stream(
    stream: StreamDescription, record: DesignRecord, mismatches: Mapping[int, int], frames: int
) -> StreamResult:
    found = record.streams[stream.name]
    return StreamResult(
        stream.stage,
        stream.tensor,
        stream.beats,
        mismatches.get(stream.tensor, 0),
        tuple(found.stalled[:frames]),
        tuple(found.starved[:frames]),
    )


def _efficiency(macs: int, multipliers: int, interval: int) -> float | None:
    return macs / (multipliers * interval) if multipliers else None


def _mismatch(
    description: Description, tensor: int, simulated: np.ndarray, expected: np.ndarray, wrong: np.ndarray
) -> Mismatch:
    frame, pixel, channel = (int(index) for index in np.argwhere(wrong)[0])
    stream = next(stream for stream in description.streams if stream.tensor == tensor)
    row, column = divmod(pixel, stream.width)
    values = int(simulated[frame, pixel, channel]), int(expected[frame, pixel, channel])
    return Mismatch(stream.stage, tensor, frame, row, column, channel, *values)
