"""What a program did on a simulated engine, layer by layer, beside what was predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class LayerResult:
    """What a layer's instructions did in all frames of a program.

    Attributes:
        two_frames: where they were executed with those of another frame.
        tensor: that it writes, or gives.
        values, mismatches: elements compared, and those that differ.
        first: where the first of them lies, or "".
        predicted: cycles; measured: in each frame.
        as_predicted: every instruction took the cycles that were predicted for it.
    """

    name: str
    two_frames: bool
    tensor: int
    values: int
    mismatches: int
    first: str
    predicted: int
    measured: tuple[int, ...]
    as_predicted: bool


@dataclass(frozen=True)
class EngineResult:
    """A program's frames on a simulated engine.

    Attributes:
        cycles: predicted, of a lone frame; interval: predicted, of frames one behind the other; unstalled: whether
            measured cycles have to be those predicted.
        intervals: between the ends of frames; expected: those predicted.
        marked: of each frame, whether its last byte said that the packet or the weights were wrong.
    """

    model: str
    frames: int
    layers: tuple[LayerResult, ...]
    cycles: int
    interval: int
    intervals: tuple[int, ...]
    expected: tuple[int, ...]
    unstalled: bool
    outputs: dict[int, np.ndarray]
    marked: tuple[bool, ...]
    seconds: float

    @property
    def mismatches(self) -> int:
        return sum(layer.mismatches for layer in self.layers)

    @property
    def values(self) -> int:
        return sum(layer.values for layer in self.layers)

    @property
    def as_predicted(self) -> bool:
        return all(layer.as_predicted for layer in self.layers) and self.intervals == self.expected

    @property
    def ok(self) -> bool:
        return not self.mismatches and not any(self.marked) and (self.as_predicted or not self.unstalled)

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "model": self.model,
            "frames": self.frames,
            "ok": self.ok,
            "values": self.values,
            "mismatches": self.mismatches,
            "predicted_cycles": self.cycles,
            "predicted_interval_cycles": self.interval,
            "measured_interval_cycles": list(self.intervals),
            "layers": [
                {
                    "name": layer.name,
                    "two_frames": layer.two_frames,
                    "tensor": layer.tensor,
                    "values": layer.values,
                    "mismatches": layer.mismatches,
                    "first_mismatch": layer.first or None,
                    "predicted_cycles": layer.predicted,
                    "measured_cycles": list(layer.measured),
                }
                for layer in self.layers
            ],
        }
