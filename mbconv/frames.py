"""The input frames of a simulation: pictures or random numbers, for a whole network or a range of its operators."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np

from mbconv.generators.graph.graph import Graph, GraphError
from mbconv.sim.golden import model as golden
from mbconv.sim.pictures import pictures

Frame = dict[int, np.ndarray]
"""The values of a network's inputs by tensor index."""


_MOST_ELEMENTS = 1 << 28  # of the inputs of all frames


def random_frames(graph: Graph, count: int, seed: int) -> list[Frame]:
    """Uniform integers over the whole range of every input's element."""
    generator = np.random.default_rng(seed)
    return [{index: _random(graph, index, generator) for index in graph.inputs} for _ in range(count)]


def chosen_frames(
    whole: Graph, part: Graph, count: int, images: Sequence[Path], seed: int | None = None
) -> list[Frame]:
    """Frames of a range of a network: of pictures, which the operators before it turn into its inputs, or random where
    there are none.

    Args:
        seed: of random frames; 0 unless given.

    Raises:
        GraphError: a picture does not fit, or the frames are more than a simulation holds in memory.
    """
    elements = max(sum(prod(graph.tensors[index].shape) for index in graph.inputs) for graph in (whole, part))
    most = max(1, _MOST_ELEMENTS // elements)
    if count > most:
        raise GraphError(
            f"{count:,} frames are too many to hold in memory: of {part.name} give at most {most:,} at once"
        )
    if images:
        return frames_of_range(whole, part, picture_frames(whole, images, count))
    return random_frames(part, count, seed or 0)


def _random(graph: Graph, index: int, generator: np.random.Generator) -> np.ndarray:
    tensor = graph.tensors[index]
    low, high = tensor.element.minimum, tensor.element.maximum
    return generator.integers(low, high, size=tensor.shape, endpoint=True, dtype=np.int64).astype(tensor.element.dtype)


def picture_frames(graph: Graph, paths: Sequence[Path], count: int) -> list[Frame]:
    """Pictures as frames of a network with one input; with fewer than frames, frame k is a picture rolled by k pixels.

    Raises:
        GraphError: the network has several inputs, or a picture does not fit.
    """
    if len(graph.inputs) != 1:
        raise GraphError(
            f"{graph.name} has {len(graph.inputs)} inputs; pictures feed a network with one (use --random)"
        )
    tensor = graph.tensors[graph.inputs[0]]
    loaded = [pictures.load_picture(path, tensor) for path in paths]
    axis = -1 if pictures.picture_shape(tensor)[3] else -2
    return [{tensor.index: values} for values in pictures.roll_frames(loaded, count, axis)]


def frames_of_range(graph: Graph, part: Graph, frames: Sequence[Frame]) -> list[Frame]:
    """What the operators before ``part`` make of the whole network's frames, by the golden model."""
    first = min(operator.index for operator in part)
    before = [operator for operator in graph if operator.index < first]
    if not before:
        return [{index: frame[index] for index in part.inputs} for frame in frames]
    head = graph.layers(before[0].index, first)
    fed = []
    for frame in frames:
        known = frame | golden.run(head, {index: frame[index] for index in head.inputs})
        fed.append({index: known[index] for index in part.inputs})
    return fed


class WholeRuns:
    """The golden model's run of a whole network on pictures, from which every range of it takes its inputs."""

    def __init__(self, graph: Graph, images: Sequence[Path]):
        self.graph, self.images = graph, images
        self.runs: dict[int, list[Frame]] = {}  # by number of frames: few pictures are rolled, which depends on it

    def inputs_of(self, part: Graph, count: int) -> list[Frame]:
        """The values of a range's inputs in ``count`` frames."""
        if count not in self.runs:
            frames = picture_frames(self.graph, self.images, count)
            self.runs[count] = [frame | golden.run(self.graph, frame) for frame in frames]
        return [{index: run[index] for index in part.inputs} for run in self.runs[count]]
