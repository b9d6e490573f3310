"""What a simulation of a design showed: its outputs checked and compared, its cycles beside those predicted."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mbconv.generators.emission.design import Design
from mbconv.generators.graph.graph import GraphError

from .axi_frames import read_frames
from .run_design import DesignRecord

REPORTED = (
    "mismatches",
    "elements",
    "frames",
    "interval_cycles",
    "predicted_interval_cycles",
    "latency_cycles",
    "predicted_latency_cycles",
    "multipliers",
    "budget",
    "macs",
    "mac_efficiency",
    "mac_efficiency_used",
    "seconds",
    "first_mismatch",
)
"""What ``mbconv sim --json`` promises, and the first mismatch."""


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


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """What a simulation showed.

    Attributes:
        mismatches, elements: over everything that was compared.
        stream_mismatches: mismatches by tensor, of all tensors compared.
        interval_cycles: between the last output beats of the last two frames; None for one frame.
        seconds: of the whole, the simulator's build included.
        outputs: elements of each output tensor, ``[frames, pixels, channels]``.
    """

    mismatches: int
    elements: int
    frames: int
    first_mismatch: str | None
    stream_mismatches: dict[int, int]
    interval_cycles: int | None
    predicted_interval_cycles: int
    latency_cycles: int
    predicted_latency_cycles: int
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
        """Every element equal, and the interval as predicted where one was measured."""
        return self.mismatches == 0 and self.interval_cycles in (None, self.predicted_interval_cycles)

    def reported(self) -> dict[str, Any]:
        """The values of :data:`REPORTED`."""
        return {name: getattr(self, name) for name in REPORTED}


Comparison = tuple[int, np.ndarray, np.ndarray]
"""A tensor, its elements as simulated and as expected, ``[frames, pixels, channels]``."""


def checked_outputs(design: Design, record: DesignRecord, frames: int) -> dict[int, np.ndarray]:
    """The elements ``[frames, pixels, channels]`` of every output tensor.

    Raises:
        GraphError: a stream broke a rule, an output stopped, a mark at the edges is wrong.
    """
    broken = [f"{name}: {rule}" for name, stream in record.streams.items() for rule in stream.broken_rules]
    if broken:
        raise GraphError("a stream broke a rule of its protocol:\n  " + "\n  ".join(broken))
    outputs, problems = {}, []
    for port, edge in design.outputs.items():
        tensor, words, wanted = int(port[1:]), record.streams[edge.name].words, frames * edge.frame.beats
        if len(words) < wanted:
            raise GraphError(
                f"the simulation stood still after {record.cycles:,} cycles: {len(words):,} of {wanted:,} output beats "
                f"of {edge.name} came"
            )
        outputs[tensor], found = read_frames(edge, words, design.network.tensor(tensor).element.signed)
        problems += found
    problems += [f"{name} is {value}" for name, value in record.outputs.items() if value]
    if problems:
        raise GraphError("the AXI4-Stream edges are wrong:\n  " + "\n  ".join(problems))
    return outputs


def make_result(
    design: Design,
    record: DesignRecord,
    frames: int,
    outputs: Mapping[int, np.ndarray],
    comparisons: Iterable[Comparison],
    started: float,
) -> SimulationResult:
    """Compare, and put the measured cycles beside the predicted.

    Args:
        comparisons: in the order of the network, so that the first mismatch is the one nearest to its cause.
        started: ``time.monotonic()`` at the beginning.
    """
    mismatches: dict[int, int] = {}
    elements, first = 0, None
    for tensor, simulated, expected in comparisons:
        wrong = simulated != expected
        mismatches[tensor] = mismatches.get(tensor, 0) + int(wrong.sum())
        elements += wrong.size
        if first is None and wrong.any():
            first = _mismatch(design, tensor, simulated, expected, wrong)
    latencies = {edge.name: record.latency(edge.name) for edge in design.outputs.values()}
    slowest = max(latencies, key=lambda name: latencies[name])
    return SimulationResult(
        mismatches=sum(mismatches.values()),
        elements=elements,
        frames=frames,
        first_mismatch=None if first is None else str(first),
        stream_mismatches=mismatches,
        interval_cycles=record.interval(slowest),
        predicted_interval_cycles=design.schedule.interval,
        latency_cycles=latencies[slowest],
        predicted_latency_cycles=design.schedule.latency,
        multipliers=design.multipliers,
        budget=design.budget,
        macs=design.macs,
        mac_efficiency=design.mac_efficiency,
        mac_efficiency_used=design.mac_efficiency_used,
        seconds=time.monotonic() - started,
        cycles=record.cycles,
        cached=record.cached,
        outputs=dict(outputs),
        record=record,
    )


def _mismatch(design: Design, tensor: int, simulated, expected, wrong) -> Mismatch:
    frame, pixel, channel = (int(index) for index in np.argwhere(wrong)[0])
    node = next((node.name for node in design.network.nodes if node.output == tensor), "input")
    row, column = divmod(pixel, design.network.shapes[tensor].width)
    values = int(simulated[frame, pixel, channel]), int(expected[frame, pixel, channel])
    return Mismatch(node, tensor, frame, row, column, channel, *values)
