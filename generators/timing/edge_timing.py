"""Event models of a design's edges: when beats leave that regroup the elements of the beats that came."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from mbconv.hdl.axi_stream_input import AxiStreamInput
from mbconv.hdl.axi_stream_output import AxiStreamOutput
from mbconv.hdl.gearbox import Gearbox

from .event_graph import EventGraph
from .events import Events, Times


def spaced(earliest: Times, spacing: int) -> Times:
    """The earliest times ``t[n] >= earliest[n]`` with ``t[n] >= t[n - 1] + spacing``."""
    ramp = np.arange(earliest.size, dtype=np.int64) * spacing
    return np.maximum.accumulate(earliest - ramp) + ramp


def beat_ends(elements: int, run: int, lanes: int) -> np.ndarray:
    """Elements of a frame that have passed after each beat; a run of elements has a partial last beat."""
    runs = np.arange(elements // run)[:, None] * run
    return (runs + np.minimum(np.arange(1, -(-run // lanes) + 1) * lanes, run)).ravel()


@dataclass(frozen=True)
class RegroupTiming:
    """Event model of :class:`mbconv.hdl.gearbox.Gearbox`, exact for any times of both sides.

    Attributes:
        elements: of a frame.
        run_in, lanes_in, run_out, lanes_out: beats of each side; the last of a run is partial.
        latency: from the acceptance of the beat that completes an output beat, where that had to wait for nothing else;
            0 for wires.
        capacity: units of the buffer; None for one register or wires.
        unit: elements of a unit.
    """

    elements: int
    run_in: int
    lanes_in: int
    run_out: int
    lanes_out: int
    latency: int
    capacity: int | None
    unit: int

    @classmethod
    def of_gearbox(cls, gearbox: Gearbox) -> Self:
        return cls(
            gearbox.channels * gearbox.pixels,
            gearbox.run_in,
            gearbox.lanes_in,
            gearbox.run_out,
            gearbox.lanes_out,
            gearbox.latency,
            None if gearbox.simple is not None else gearbox.capacity,
            gearbox.unit,
        )

    @property
    def beats_in(self) -> int:
        """Input beats of a frame."""
        return self.elements // self.run_in * -(-self.run_in // self.lanes_in)

    @property
    def beats_out(self) -> int:
        """Output beats of a frame."""
        return self.elements // self.run_out * -(-self.run_out // self.lanes_out)

    def run(self, valid: Times) -> Times:
        """When each output beat leaves, given when the input beats of whole frames are offered, to a sink that is
        always ready.

        Raises:
            ValueError: the beats are not those of whole frames.
        """
        if valid.size % self.beats_in:
            raise ValueError(f"{valid.size} beats are not whole frames of {self.beats_in}")
        if self.wires:
            return spaced(valid, 1)
        graph, frames = EventGraph(), valid.size // self.beats_in
        entered = graph.add("a beat enters", valid.size, earliest=valid)
        left = graph.add("a beat leaves", frames * self.beats_out)
        self.connect(entered, left, left, frames)
        graph.settle()
        return left.times

    @property
    def wires(self) -> bool:
        """Whether a beat leaves in the cycle in which it enters."""
        return self.latency == 0

    def connect(self, entered: Events, valid: Events, left: Events, frames: int) -> None:
        """Output beats are valid once their elements have entered, which enter when others have left; no wires."""
        given, wanted = self._ends(self.run_in, self.lanes_in, frames), self._ends(self.run_out, self.lanes_out, frames)
        valid.after_some(entered, self.latency, range(valid.count), np.searchsorted(given, wanted))
        if self.capacity is None:
            # One register: what was whole before this beat has left, at the latest in the same cycle.
            freeing, delay = np.searchsorted(wanted, np.append(0, given[:-1]), side="right") - 1, 0
        else:
            must_leave = self._units(given, self.run_in) - self.capacity
            freeing = np.where(must_leave > 0, np.searchsorted(self._units(wanted, self.run_out), must_leave), -1)
            delay = 1
        first = int(np.searchsorted(freeing, 0))
        entered.after_some(left, delay, range(first, entered.count), freeing[first:])

    def _ends(self, run: int, lanes: int, frames: int) -> np.ndarray:
        """Elements that have passed after each beat of all frames on one side."""
        return (np.arange(frames)[:, None] * self.elements + beat_ends(self.elements, run, lanes)).ravel()

    def _units(self, elements: np.ndarray, run: int) -> np.ndarray:
        """Units of so many elements, a partial one at the end of a run counted whole."""
        return elements // run * -(-run // self.unit) + -(-(elements % run) // self.unit)


@dataclass(frozen=True)
class InputEdgeTiming:
    """Event model of :class:`mbconv.hdl.axi_stream_input.AxiStreamInput` for packets of the right length: a queue of
    AXI4-Stream beats, then the gearbox.

    Attributes:
        queue_depth: beats of the queue, whose latency is 1.
        marks_depth: marks of frames that may wait to be joined with those of other inputs.
    """

    gearbox: RegroupTiming
    queue_depth: int
    marks_depth: int

    @classmethod
    def of(cls, circuit: AxiStreamInput) -> Self:
        return cls(RegroupTiming.of_gearbox(circuit.gearbox), circuit.queue.depth, circuit.mark_queue.depth)

    def events(self, graph: EventGraph, name: str, frames: int) -> InputEdgeEvents:
        """Add the classes of the edge, offered beats from cycle 0 on."""
        offered = np.zeros(frames * self.gearbox.beats_in, np.int64)
        accepted = graph.add(f"{name} takes a beat", offered.size, earliest=offered)
        valid = graph.add(f"{name} has a beat of the tensor", frames * self.gearbox.beats_out)
        passed = valid if self.gearbox.wires else graph.add(f"{name} passes a beat on", offered.size)
        passed.after(accepted, 1)
        return InputEdgeEvents(self, accepted, passed, valid, frames)

    def frame_ends(self, frames: int) -> range:
        """The beats with which frames end."""
        beats = self.gearbox.beats_in
        return range(beats - 1, frames * beats, beats)

    def run(self, valid: Times) -> Times:
        """When beats of the tensor leave to a sink that is always ready, given when AXI4-Stream beats are offered."""
        return self.gearbox.run(spaced(valid, 1) + 1)


@dataclass(frozen=True)
class InputEdgeEvents:
    """The events of an input's edge.

    Attributes:
        accepted: when AXI4-Stream beats are taken.
        passed: when they may go on from the queue.
        valid: when beats of the tensor are valid.
    """

    timing: InputEdgeTiming
    accepted: Events
    passed: Events
    valid: Events
    frames: int

    def connect(self, left: Events, ends: Events) -> None:
        """Make the edge wait for the departure of the tensor's beats.

        Args:
            left: that departure.
            ends: by frame, when all inputs have had its last beat and a mark of it may leave.
        """
        timing, frame_ends = self.timing, self.timing.frame_ends(self.frames)
        entered = left if timing.gearbox.wires else self.passed
        if not timing.gearbox.wires:
            timing.gearbox.connect(self.passed, self.valid, left, self.frames)
        self.accepted.after(entered, 1, lag=timing.queue_depth)
        ends.after_some(entered, 1, range(self.frames), frame_ends)
        waiting = frame_ends[timing.marks_depth :]
        self.passed.after_some(ends, 1, waiting, range(len(waiting)))


@dataclass(frozen=True)
class OutputEdgeTiming:
    """Event model of :class:`mbconv.hdl.axi_stream_output.AxiStreamOutput`: the gearbox, then a queue of AXI4-Stream
    beats.

    Attributes:
        queue_depth, queue_latency: of the queue.
    """

    gearbox: RegroupTiming
    queue_depth: int
    queue_latency: int

    @classmethod
    def of(cls, circuit: AxiStreamOutput) -> Self:
        return cls(RegroupTiming.of_gearbox(circuit.gearbox), circuit.queue.depth, circuit.queue.latency)

    def with_queue(self, depth: int, latency: int) -> Self:
        """The same with another queue."""
        return replace(self, queue_depth=depth, queue_latency=latency)

    def events(self, graph: EventGraph, name: str, frames: int) -> tuple[Events, Events]:
        """Add the classes of the edge before a queue that is never full; the events that it takes a beat of the tensor,
        and that a beat leaves the gearbox."""
        taken = graph.add(f"{name} takes a beat of the tensor", frames * self.gearbox.beats_in)
        left = taken
        if not self.gearbox.wires:
            left = graph.add(f"{name} gives a beat", frames * self.gearbox.beats_out)
            self.gearbox.connect(taken, left, left, frames)
        return taken, left

    def given(self, graph: EventGraph, name: str, queued: Events) -> Events:
        """Add the events that the queue gives a beat, which then has room for another."""
        given = graph.add(f"{name} leaves", queued.count)
        given.after(queued, self.queue_latency)
        queued.after(given, 1, lag=self.queue_depth)
        return given

    def frame_ends(self, frames: int) -> range:
        """The beats with which frames end."""
        beats = self.gearbox.beats_out
        return range(beats - 1, frames * beats, beats)

    def run(self, valid: Times) -> Times:
        """When AXI4-Stream beats are valid, given when beats of the tensor are, and frames' marks before their ends."""
        return self.gearbox.run(valid) + self.queue_latency
