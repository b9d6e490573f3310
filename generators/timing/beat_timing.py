"""Event models of circuits that make a beat of each beat, or of some of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .event_graph import EventGraph
from .events import Events
from .ports import Ports


@dataclass(frozen=True, eq=False)
class ChosenTiming:
    """Event model of a circuit that takes a beat each cycle and makes one of some of them: of these beats, which need
    room in its queue.

    Attributes:
        beats: of an input frame.
        chosen: those of which a beat of the output is made, ascending.
        latency: from the acceptance of one to its result being valid.
    """

    beats: int
    chosen: np.ndarray
    latency: int
    queue_depth: int

    def events(self, graph: EventGraph, name: str, frames: int) -> Ports:
        accepted = graph.add(f"{name} takes a beat", frames * self.beats)
        places = (np.arange(frames)[:, None] * self.beats + self.chosen).ravel()
        valid = graph.add(f"{name} has a beat of outputs", places.size, None)
        valid.after_some(accepted, self.latency, range(places.size), places)

        def hold(taken: Events) -> None:
            room = places[self.queue_depth :]
            accepted.after_some(taken, 1, room, range(room.size))

        return Ports([accepted], valid, hold)


@dataclass(frozen=True, eq=False)
class ElementwiseTiming:
    """Event model of :class:`mbconv.hdl.elementwise.Elementwise`: one beat of one beat of each input.

    Attributes:
        beats: of a frame.
        inputs: for each input the beats of a frame with which its own are taken; None where all are.
        interval: cycles from one beat to the next, at least.
    """

    latency: int
    queue_depth: int
    beats: int
    inputs: tuple[np.ndarray | None, ...] = (None,)
    interval: int = 1

    def events(self, graph: EventGraph, name: str, frames: int) -> Ports:
        taken = graph.add(f"{name} takes a beat of each input", frames * self.beats, self.interval)
        accepted = [
            taken if positions is None else self._own(graph, f"{name} takes a beat to repeat", frames, positions, taken)
            for positions in self.inputs
        ]
        valid = graph.add(f"{name} has a beat of outputs", taken.count, None)
        valid.after(taken, self.latency)
        return Ports(accepted, valid, lambda left: taken.after(left, 1, lag=self.queue_depth))

    def _own(self, graph: EventGraph, what: str, frames: int, positions: np.ndarray, taken: Events) -> Events:
        """The beats of an input that is shorter: each is taken in the cycle of its first use."""
        own = graph.add(what, frames * positions.size)
        uses = (np.arange(frames)[:, None] * self.beats + positions).ravel()
        own.after_some(taken, 0, range(own.count), uses)
        taken.after_some(own, 0, uses, range(own.count))
        return own
