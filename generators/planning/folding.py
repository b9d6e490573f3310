"""Foldings: how many of a stage's products are computed in one cycle.

Which foldings a circuit can have, what they make of its cycles, and which is cheapest, its file in
:mod:`mbconv.generators.stages` says.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Folding:
    """``inputs`` × ``outputs`` products a cycle: Pi × Po of a pointwise stage or convolution, K taps × P channels of
    a depthwise one; Q ``pixels`` share the groups of what ``outputs`` leaves over of theirs."""

    inputs: int
    outputs: int
    pixels: int = 1

    @property
    def multipliers(self) -> int:
        return self.inputs * self.outputs

    def __str__(self) -> str:
        return f"{self.inputs}×{self.outputs}" + (f" on {self.pixels}" if self.pixels > 1 else "")

    def fields(self) -> dict[str, int]:
        """As plain numbers; one pixel is not said."""
        return {"inputs": self.inputs, "outputs": self.outputs} | ({"pixels": self.pixels} if self.pixels > 1 else {})


def ceil_div(a, b):
    return -(-a // b)


def round_up(value, multiple):
    return ceil_div(value, multiple) * multiple
