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

    ``integer`` is None where the network's output is real (DEQUANTIZE), both scores where it is the class itself
    (ARG_MAX).
    """

    index: int
    integer: int | None
    score: float | None
    label: str | None


def read_labels(path: str | Path) -> list[str]:
    """The names of a text file, one a line, line 0 naming class 0.

    Raises:
        GraphError: the file is missing or no text.
    """
    try:
        return Path(path).read_text(encoding="utf-8").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise GraphError(f"cannot read labels {path}: {getattr(error, 'strerror', None) or error}") from error


def is_classes(tensor: Tensor) -> bool:
    """Whether an output is a vector, whose elements may be classes; others are maps."""
    return tensor.size == tensor.shape[-1] or answers_class(tensor)


def answers_class(tensor: Tensor) -> bool:
    """Whether an output holds a class, not its scores: what ARG_MAX writes."""
    return tensor.element.bits >= 32 and not tensor.element.real


def class_count(graph: Graph, output: int) -> int:
    """How many classes an output tells apart."""
    tensor = graph.tensors[output]
    if answers_class(tensor) and (producer := graph.producer(output)) is not None:
        return graph.tensors[producer.inputs[0]].size // tensor.size
    return tensor.size


def best_class(tensor: Tensor, values: np.ndarray) -> int:
    """The class that an output answers: of equal scores the first."""
    return int(values.reshape(-1)[0]) if answers_class(tensor) else int(values.argmax())


def check_labels(graph: Graph, labels: Sequence[str]) -> None:
    """Compare a list of names with the outputs, before anything is computed.

    Raises:
        GraphError: there are not as many labels as classes.
    """
    outputs = [output for output in graph.outputs if is_classes(graph.tensors[output])]
    if not outputs:
        raise GraphError(f"labels name classes, but no output of {graph.name} has any: they are maps")
    for output in outputs:
        classes = class_count(graph, output)
        if len(labels) != classes:
            raise GraphError(
                f"{len(labels)} labels were given for the {classes} classes of {graph.tensors[output].name}"
                + ("; is the first a background that wants a line of its own?" if classes == len(labels) + 1 else "")
            )


def top_classes(
    tensor: Tensor, values: np.ndarray, count: int = 5, labels: Sequence[str] | None = None
) -> list[ClassScore]:
    """The ``count`` greatest elements of an output, the first of equals first; of ARG_MAX the class itself.

    Args:
        labels: the names of all classes, see :func:`check_labels`.

    Raises:
        GraphError: a class has no name.
    """
    flat = values.reshape(-1)
    least = int(flat.max(initial=-1)) + 1 if answers_class(tensor) else flat.size
    if labels is not None and len(labels) < least:
        raise GraphError(f"{len(labels)} labels were given for the {least} classes of {tensor.name}")
    if answers_class(tensor):
        return [ClassScore(int(c), None, None, None if labels is None else labels[int(c)]) for c in flat[:count]]
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
        known = graph.tensors
        arrays |= {str(index): values for index, values in sorted(results.items()) if known[index].in_file}
    try:
        np.savez_compressed(stored := BytesIO(), **arrays)
        write_whole(Path(path), stored.getvalue())
    except OSError as error:
        raise GraphError(f"cannot write {path}: {error.strerror or error}") from error
