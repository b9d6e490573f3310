"""What is simulated: cases, components with the beats they get and must give, and runs, patterns of stalls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from amaranth.lib.wiring import Component

from .testbench_data import tensor_beats


@dataclass(frozen=True, eq=False)
class Periodic:
    """Beats of an input that start over for ever: weights."""

    beats: Any


@dataclass(frozen=True, eq=False)
class Expected:
    """Beats of an output, and which of their lanes matter: a boolean array of the beats' dimensions (None: all)."""

    beats: Any
    mask: np.ndarray | None = None

    @classmethod
    def tensor(cls, tensor: np.ndarray, lanes: int) -> Expected:
        """The beats of a tensor ``[…, channels]``; lanes beyond the last channel may carry anything."""
        return cls(*tensor_beats(tensor, lanes))


@dataclass(frozen=True, eq=False)
class Case:
    """One circuit under test.

    Args:
        name: for messages; unique among the cases simulated together.
        component: all its ports are streams (further outputs are ignored).
        inputs: for each input port the beats of all frames, or :class:`Periodic` beats; :mod:`.testbench_data` has
            their forms.
        outputs: for each output port the beats of all frames, or :class:`Expected` to leave lanes out.
        frames: that inputs and outputs hold, one after another.
        interval: the exact number of cycles between the last output beats of the last two frames, when nothing stalls.
        latency: from the first input beat taken to the last output beat of the first frame, when nothing stalls: exact,
            or the least and the greatest number of cycles.
        patience: a run ends, as a deadlock, when no port of any case transfers a beat for so many cycles.
    """

    name: str
    component: Component
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    frames: int = 3
    interval: int | None = None
    latency: int | tuple[int, int] | None = None
    patience: int = 5000


@dataclass(frozen=True)
class Pattern:
    """A port that goes stalls with probability ``stall`` each cycle, one that stalls resumes with ``resume``.

    A ``patient`` sink is ready only for a beat that was valid in the cycle before; ``in_turn`` sinks take a packet
    each, one after the other; ``late`` ones take nothing in so many cycles after reset.
    """

    name: str
    stall: float = 0.0
    resume: float = 1.0
    patient: bool = False
    in_turn: bool = False
    late: int = 0

    def thresholds(self) -> tuple[int, int]:
        """The probabilities in units of 1/65536."""
        return round(self.stall * 65536), round(self.resume * 65536)


ALWAYS = Pattern("always")
HALF = Pattern("half of the cycles", 0.5, 0.5)
RARELY = Pattern("one cycle in eight", 7 / 8, 1 / 8)
BURSTS = Pattern("bursts of 16", 1 / 16, 1 / 16)
LONG_STALLS = Pattern("stalls of 200", 1 / 100, 1 / 200)
PATIENT = Pattern("only after valid", patient=True)
IN_TURN = Pattern("in turn", in_turn=True)


@dataclass(frozen=True)
class Run:
    """All beats of all cases once, from reset.

    Args:
        source, sink: the patterns of the ports at either end.
        reset_after: first run for so many cycles and reset; None: do not.
    """

    source: Pattern = ALWAYS
    sink: Pattern = ALWAYS
    reset_after: int | None = None

    @property
    def unstalled(self) -> bool:
        return self.source == ALWAYS and self.sink == ALWAYS

    def plan(self, seed: int) -> dict:
        """What cocotb sets for this run; a seed moves the reset a little as well."""
        source, sink = self.source.thresholds(), self.sink.thresholds()
        inputs = {
            "seed": seed,
            "source_stall": source[0],
            "source_resume": source[1],
            "sink_stall": sink[0],
            "sink_resume": sink[1],
            "sink_patient": int(self.sink.patient),
            "sink_turns": int(self.sink.in_turn),
            "sink_late": self.sink.late,
        }
        return {"inputs": inputs, "reset_after": self.reset_after and self.reset_after + seed % 64}

    def __str__(self) -> str:
        reset = "" if self.reset_after is None else f", reset after {self.reset_after} cycles"
        return f"source {self.source.name}, sink {self.sink.name}{reset}"


STANDARD_RUNS = (
    Run(),
    Run(HALF, ALWAYS),
    Run(ALWAYS, HALF),
    Run(HALF, HALF),
    Run(RARELY, BURSTS),
    Run(BURSTS, RARELY),
    Run(ALWAYS, PATIENT),
    Run(LONG_STALLS, LONG_STALLS),
    Run(ALWAYS, ALWAYS, reset_after=37),
    Run(HALF, BURSTS, reset_after=301),
)


@dataclass(frozen=True)
class Measurement:
    """What a case did when nothing stalled: cycles, by output port. No interval where there is one frame only."""

    case: str
    intervals: Mapping[str, int] = field(default_factory=dict)
    latencies: Mapping[str, int] = field(default_factory=dict)
