"""The golden model beside LiteRT's reference kernels, in every element of every tensor that an operator computes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from mbconv.generators.graph.graph import Graph, GraphError

from . import model as golden
from .oracle import Reference


@dataclass(frozen=True)
class Comparison:
    """What was compared: tensors that operators compute, their elements over all frames, those that differ."""

    frames: int
    tensors: int
    elements: int
    differing: int
    first: str | None
    """The first element that differs, in the order of the tensors' indices."""


def compare(
    graph: Graph,
    path: Path,
    frames: Sequence[Mapping[int, np.ndarray]],
    progress: Callable[[int], None] = lambda number: None,
) -> Comparison:
    """Run both over all frames.

    LiteRT runs in a process of its own, which it can end: its SOFTMAX aborts on nearly uniform inputs.

    Args:
        path: the file of ``graph``.
        frames: values of the inputs by tensor index.
        progress: is told how many frames are done.

    Raises:
        GraphError: LiteRT refuses the file, or its process ended.
        OracleMissing: LiteRT is not installed.
    """
    computed = sorted({index for op in graph for index in op.outputs if graph.tensors[index].in_file})
    elements = differing = 0
    first = None
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        for number, frame in enumerate(frames):
            theirs = process.submit(_run, str(path), dict(frame))
            ours = golden.run(graph, dict(frame))
            try:
                expected = theirs.result()
            except BrokenProcessPool as error:
                raise GraphError(
                    f"LiteRT's process ended on frame {number} of {graph.name} (its SOFTMAX aborts where inputs are "
                    f"nearly uniform): give pictures instead of random numbers, or others"
                ) from error
            for index in computed:
                found, right = ours[index], expected[index].reshape(ours[index].shape)
                places = np.argwhere((found != right) & ~((found != found) & (right != right)))
                elements += found.size
                differing += len(places)
                if len(places) and first is None:
                    place = tuple(map(int, places[0]))
                    first = (
                        f"frame {number}, tensor {index} ({graph.tensors[index].name}) at {list(place)}: "
                        f"{found[place]}, LiteRT has {right[place]}"
                    )
            progress(number + 1)
    return Comparison(len(frames), len(computed), elements, differing, first)


@cache
def _reference(path: str) -> Reference:
    return Reference(path)


def _run(path: str, inputs: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """In LiteRT's process."""
    return _reference(path).run(inputs)
