"""Event models of a design's edges: when beats leave that regroup the elements of the beats that came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from mbconv.generators.timing import Times, spaced
from mbconv.hdl.axi_stream_input import AxiStreamInput
from mbconv.hdl.axi_stream_output import AxiStreamOutput
from mbconv.hdl.gearbox import Gearbox


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


class InputEdgeTiming(RegroupTiming):
    """Event model of :class:`mbconv.hdl.axi_stream_input.AxiStreamInput` for packets of the right length.

    ``run`` takes the times when AXI4-Stream beats are offered and gives those when beats of the tensor are valid.
    """

    @classmethod
    def of(cls, circuit: AxiStreamInput) -> Self:
        return cls.of_gearbox(circuit.gearbox, circuit.latency)


class OutputEdgeTiming(RegroupTiming):
    """Event model of :class:`mbconv.hdl.axi_stream_output.AxiStreamOutput` whose marks come before a frame's end.

    ``run`` takes the times when beats of the tensor are valid and gives those when AXI4-Stream beats are valid.
    """

    @classmethod
    def of(cls, circuit: AxiStreamOutput) -> Self:
        return cls.of_gearbox(circuit.gearbox, circuit.latency)
