"""What a classifier's output says: the best classes, their names, and files of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from mbconv.generators.emission.files import write_whole
from mbconv.generators.graph.graph import Graph, GraphError, Tensor


@dataclass(frozen=True)
class ClassScore:
    """A class by its index among the outputs, its integer and real score, and its name where names are known.

    ``integer`` is None where the network's output is real (DEQUANTIZE).
    """

    index: int
    integer: int | None
    score: float
    label: str | None


def read_labels(path: str | Path) -> list[str]:
    """The names of a text file, one a line, line 0 naming class 0.

    Raises:
        GraphError: the file is missing or no text.
    """
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise GraphError(f"cannot read labels {path}: {getattr(error, 'strerror', None) or error}") from error


def top_classes(
    tensor: Tensor, values: np.ndarray, count: int = 5, labels: Sequence[str] | None = None
) -> list[ClassScore]:
    """The ``count`` greatest elements of an output, the first of equals first.

    Raises:
        GraphError: there are fewer labels than classes.
    """
    flat = values.reshape(-1)
    if labels is not None and len(labels) < flat.size:
        raise GraphError(f"{len(labels)} labels were given for the {flat.size} classes of {tensor.name}")
    real = flat.dtype.kind == "f"
    best = np.argsort(-flat.astype(np.float64), kind="stable")[:count]
    return [
        ClassScore(
            int(index),
            None if real else int(flat[index]),
            float(flat[index]) if real else tensor.scale * (int(flat[index]) - tensor.zero_point),
            None if labels is None else labels[index],
        )
        for index in best
    ]


def save_results(path: str | Path, graph: Graph, results: Mapping[int, np.ndarray], every_tensor: bool = False) -> None:
    """Write the outputs to an ``.npz`` file as ``out0``, ``out1`` …

    With ``every_tensor`` every tensor is stored as well, under its index in the model's file.

    Raises:
        GraphError: the file cannot be written.
    """
    arrays = {f"out{place}": results[index] for place, index in enumerate(graph.outputs)}
    if every_tensor:
        arrays |= {str(index): values for index, values in sorted(results.items())}
    try:
        np.savez_compressed(stored := BytesIO(), **arrays)
        write_whole(Path(path), stored.getvalue())
    except OSError as error:
        raise GraphError(f"cannot write {path}: {error.strerror or error}") from error
