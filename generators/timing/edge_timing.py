"""Event models of a design's edges: when beats leave that regroup the elements of the beats that came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from mbconv.hdl.axi_stream_input import AxiStreamInput
from mbconv.hdl.axi_stream_output import AxiStreamOutput
from mbconv.hdl.gearbox import Gearbox

from .timing import ROUNDS, Times, at_least, delayed_by, spaced


def beat_ends(elements: int, run: int, lanes: int) -> np.ndarray:
    """Elements of a frame that have passed after each beat; a run of elements has a partial last beat."""
    runs = np.arange(elements // run)[:, None] * run
    return (runs + np.minimum(np.arange(1, -(-run // lanes) + 1) * lanes, run)).ravel()


@dataclass(frozen=True)
class RegroupTiming:
    """Event model of :class:`mbconv.hdl.gearbox.Gearbox` and of what surrounds it.

    Exact while the sink is always ready, for any times of the source: then an input that has to wait delays no output.

    Attributes:
        elements: of a frame.
        run_in, lanes_in, run_out, lanes_out: beats of each side; the last of a run is partial.
        latency: from the acceptance of the beat that completes an output beat, where that had to wait for nothing else.
    """

    elements: int
    run_in: int
    lanes_in: int
    run_out: int
    lanes_out: int
    latency: int

    @classmethod
    def of_gearbox(cls, gearbox: Gearbox, latency: int | None = None) -> Self:
        """The model of a gearbox, or of a circuit around it of more ``latency``."""
        return cls(
            gearbox.channels * gearbox.pixels,
            gearbox.run_in,
            gearbox.lanes_in,
            gearbox.run_out,
            gearbox.lanes_out,
            gearbox.latency if latency is None else latency,
        )

    @property
    def beats_in(self) -> int:
        """Input beats of a frame."""
        return self.elements // self.run_in * -(-self.run_in // self.lanes_in)

    def run(self, valid: Times) -> Times:
        """When each output beat becomes valid, given when the input beats of whole frames are offered.

        Raises:
            ValueError: the beats are not those of whole frames.
        """
        given = beat_ends(self.elements, self.run_in, self.lanes_in)
        wanted = beat_ends(self.elements, self.run_out, self.lanes_out)
        if valid.size % given.size:
            raise ValueError(f"{valid.size} beats are not whole frames of {given.size}")
        frames = np.arange(valid.size // given.size)[:, None]
        completing = (frames * given.size + np.searchsorted(given, wanted)).ravel()
        return spaced(spaced(valid, 1)[completing] + self.latency, 1)


@dataclass(frozen=True)
class InputEdgeTiming(RegroupTiming):
    """Event model of :class:`mbconv.hdl.axi_stream_input.AxiStreamInput` for packets of the right length: a queue of
    AXI4-Stream beats, then the gearbox. Exact for any times of both sides.

    Attributes:
        queue_depth: beats of the queue, whose latency is 1.
        capacity: units of the gearbox's buffer; None for a gearbox of one register or of wires.
        unit: elements of a unit.
    """

    queue_depth: int
    capacity: int | None
    unit: int

    @classmethod
    def of(cls, circuit: AxiStreamInput) -> Self:
        gearbox = circuit.gearbox
        regroup = RegroupTiming.of_gearbox(gearbox)
        capacity = None if gearbox.simple is not None else gearbox.capacity
        return cls(**vars(regroup), queue_depth=circuit.queue.depth, capacity=capacity, unit=gearbox.unit)

    def run(self, valid: Times, taken: Times | None = None) -> Times:
        """When beats of the tensor become valid.

        Args:
            valid: when AXI4-Stream beats are offered.
            taken: when beats of the tensor leave, as far as known.

        Raises:
            ValueError: the beats are not those of whole frames.
        """
        given, wanted = self._ends(valid.size)
        room = None if taken is None else self._room(given, wanted, taken)
        limit = None
        for _ in range(ROUNDS):
            accepted = spaced(at_least(valid, limit), 1)
            entered = spaced(at_least(accepted + 1, room), 1)  # into the gearbox
            limit = delayed_by(entered, entered.size, self.queue_depth, 1)
            if (limit <= accepted).all():
                break
        completing = np.searchsorted(given, wanted)
        return spaced(entered[completing] + self.latency, 1)

    def _ends(self, beats: int) -> tuple[np.ndarray, np.ndarray]:
        """Elements that have passed after each beat of all frames, on either side."""
        given = beat_ends(self.elements, self.run_in, self.lanes_in)
        wanted = beat_ends(self.elements, self.run_out, self.lanes_out)
        if beats % given.size:
            raise ValueError(f"{beats} beats are not whole frames of {given.size}")
        before = np.arange(beats // given.size)[:, None] * self.elements
        return (before + given).ravel(), (before + wanted).ravel()

    def _room(self, given: np.ndarray, wanted: np.ndarray, taken: Times) -> Times:
        """From when the gearbox has room for each beat."""
        if self.capacity is None:
            if self.latency == 0:  # wires
                return taken
            # One register: what was whole before this beat has left, at the latest in the same cycle.
            freeing, delay = np.searchsorted(wanted, np.append(0, given[:-1]), side="right") - 1, 0
        else:
            must_leave = self._units(given, self.run_in) - self.capacity
            freeing = np.where(must_leave > 0, np.searchsorted(self._units(wanted, self.run_out), must_leave), -1)
            delay = 1
        return np.where(freeing >= 0, taken[np.maximum(freeing, 0)] + delay, -(1 << 40))

    def _units(self, elements: np.ndarray, run: int) -> np.ndarray:
        """Units of so many elements, a partial one at the end of a run counted whole."""
        return elements // run * -(-run // self.unit) + -(-(elements % run) // self.unit)


class OutputEdgeTiming(RegroupTiming):
    """Event model of :class:`mbconv.hdl.axi_stream_output.AxiStreamOutput` whose marks come before a frame's end.

    ``run`` takes the times when beats of the tensor are valid and gives those when AXI4-Stream beats are valid.
    """

    @classmethod
    def of(cls, circuit: AxiStreamOutput) -> Self:
        return cls.of_gearbox(circuit.gearbox, circuit.latency)
