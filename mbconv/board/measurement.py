"""What a measurement on a board gave."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from mbconv.generators.graph.shown import counted


@dataclass(frozen=True)
class MeasuredRun:
    """Frames made on the board, back to back at full speed.

    Attributes:
        frames, seed: what was asked for.
        cycles: from the first element in to the last one out.
        interval: between the last two results; None for one frame.
        signature: of all results.
        expected_signature: the golden model's; None where no model was given.
        predicted_latency, predicted_interval: cycles, as the board states them.
        clock: Hz, as the board states it.
    """

    frames: int
    seed: int
    cycles: int
    interval: int | None
    signature: int
    expected_signature: int | None
    predicted_latency: int
    predicted_interval: int
    clock: int

    @property
    def frames_per_second(self) -> float:
        """At the stated clock: by the interval, or for one frame by its latency."""
        return self.clock / (self.interval or self.cycles)

    @property
    def as_predicted(self) -> bool:
        """Whether the interval, or one frame's latency, is the predicted one."""
        if self.interval is None:
            return self.cycles == self.predicted_latency
        return self.interval == self.predicted_interval

    @property
    def exact(self) -> bool | None:
        """Whether all results are the golden model's; None where no model was given."""
        return None if self.expected_signature is None else self.signature == self.expected_signature

    @property
    def text(self) -> str:
        """In words."""
        lines = [f"{counted(self.frames, 'frame')} (seed {self.seed}) in {self.cycles:,} cycles"]
        if self.interval is None:
            lines.append(f"latency {self.cycles:,} cycles, predicted {self.predicted_latency:,}")
        else:
            lines.append(f"interval {self.interval:,} cycles, predicted {self.predicted_interval:,}")
        lines.append(f"{self.frames_per_second:,.1f} frames per second at {self.clock / 1e6:g} MHz")
        verdict = {True: "as the golden model's", False: "NOT the golden model's", None: "not compared"}[self.exact]
        lines.append(f"signature of the results {self.signature:08x}, {verdict}")
        return "\n".join(lines)

    def to_dict(self) -> dict:
        """For ``--json``."""
        derived = {"frames_per_second": self.frames_per_second, "as_predicted": self.as_predicted, "exact": self.exact}
        return asdict(self) | derived
