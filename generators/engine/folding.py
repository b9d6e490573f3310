"""Frames of few channels: all columns of a window in one word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mbconv.hdl.engine.parameters import EngineParameters

from ..stages.network import Network, Node
from .traits import traits_of


@dataclass(frozen=True)
class Folding:
    """A frame of which a word holds the columns of a window, and a row as many words as its convolution has windows.

    Attributes:
        node: the convolution that reads it.
        columns: of the window; windows: of a row.
        beats: of a pixel; elements: of a beat.
    """

    node: Node
    columns: int
    windows: int
    beats: int
    elements: int

    @property
    def channels(self) -> int:
        """Elements of a word."""
        return self.columns * self.beats * self.elements

    @property
    def fields(self) -> dict[str, int]:
        """Of INPUT."""
        raster, left, right = self.node.raster, self.node.padding.left, self.node.padding.right
        assert raster is not None
        last = (self.windows - 1) * self.node.strides[1] + self.columns - left  # pixels up to the last window's end
        return {
            "folded": 1,
            "height": raster.height - 1,
            "row_step": max(raster.width, min(last, raster.width + right)) * self.beats - 1,
            "tap_row_step": raster.width * self.beats - 1,
            "tap_step": (self.columns - left) * self.beats - 1,
            "pixel_step": self.node.strides[1] * self.beats - 1,
            "tail": self.columns * self.beats - 1,
        }

    @property
    def cycles(self) -> int:
        """Beats, and those beyond the right edge."""
        return (self.fields["height"] + 1) * (self.fields["row_step"] + 1)

    def weights(self, weights: np.ndarray) -> np.ndarray:
        """``[output channel][kernel row, kernel column, channel]`` with zeros for what fills beats up."""
        raster = self.node.raster
        assert raster is not None
        spread = weights.reshape(len(weights), *self.node.kernel, raster.channels)
        more = self.beats * self.elements - raster.channels
        return np.pad(spread, ((0, 0), (0, 0), (0, 0), (0, more))).reshape(len(weights), -1)

    def stored(self, values: np.ndarray, fill: int) -> np.ndarray:
        """What the words of a frame ``[height, width, channels]`` hold: ``[height · windows, columns, channels]``."""
        padding = self.node.padding
        wide = np.pad(values, ((0, 0), (padding.left, padding.right), (0, 0)), constant_values=fill)
        places = np.arange(self.windows)[:, None] * self.node.strides[1] + np.arange(self.columns)
        return wide[:, places].reshape(-1, self.columns, values.shape[2])


def foldings(network: Network, parameters: EngineParameters) -> dict[int, Folding]:
    """By tensor, the frames for which a word of all columns takes fewer cycles than one for each."""
    p = parameters
    found: dict[int, Folding] = {}
    if not p.folds:
        return found
    for tensor in network.inputs.values():
        readers = network.consumers(tensor)
        stored = network.tensor(tensor)
        if len(readers) != 1 or tensor in network.outputs or not traits_of(readers[0]).windows:
            continue
        (node,) = readers
        raster, columns = node.raster, node.kernel[1]
        if raster is None or (raster.height, raster.width) != (stored.height, stored.width):
            continue
        beats = -(-stored.channels // p.input_elements)
        windows = (raster.width + node.padding.left + node.padding.right - columns) // node.strides[1] + 1
        folding = Folding(node, columns, windows, beats, p.input_elements)
        whole, rest = divmod(stored.channels, p.channels)
        plain = whole * max(p.channels, p.pixels) + (max(rest, p.pixels) if rest else 0)
        if (
            folding.channels <= p.channels
            and columns > node.padding.left
            and max(folding.channels, p.pixels) < columns * plain
        ):
            found[tensor] = folding
    return found
