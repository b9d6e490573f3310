"""Top-1 accuracy of the golden model over labelled pictures, LiteRT's beside it where it is installed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mbconv.generators.graph.graph import Graph, GraphError

from ..golden import model as golden
from ..golden.oracle import Reference
from .pictures import load_picture, picture_shape
from .prediction import best_class, class_count

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
KERNELS = ("BUILTIN_REF", "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "AUTO")
"""Of LiteRT, by the names of its ``OpResolverType``: the reference, the optimised ones, and XNNPACK, the default."""

_INDEXED = re.compile(r"(\d+)_")


@dataclass(frozen=True)
class LabelledPicture:
    """A picture file and the index of its class, counted without a background class."""

    path: Path
    label: int


@dataclass(frozen=True)
class LabelledPictures:
    """Pictures of a directory.

    ``classes`` is the number of classes where a folder stands for each, None where names carry indices.
    """

    pictures: tuple[LabelledPicture, ...]
    classes: int | None


@dataclass(frozen=True)
class Answer:
    """A picture's label and the classes answered, all counted as the model counts its outputs."""

    path: Path
    label: int
    golden: int
    reference: int | None
    mismatches: int | None  # elements of all outputs in which golden model and LiteRT differ

    @property
    def correct(self) -> bool:
        return self.golden == self.label


@dataclass(frozen=True)
class Evaluation:
    """The answers to all pictures. Where LiteRT did not run, what concerns it is None."""

    answers: tuple[Answer, ...]
    background: bool

    @property
    def top1(self) -> float:
        """The share of pictures that the golden model classifies correctly, 0 to 1."""
        return sum(answer.correct for answer in self.answers) / len(self.answers)

    @property
    def reference_top1(self) -> float | None:
        """The same of LiteRT's reference kernels."""
        if any(answer.reference is None for answer in self.answers):
            return None
        return sum(answer.reference == answer.label for answer in self.answers) / len(self.answers)

    @property
    def mismatches(self) -> int | None:
        """Output elements in which golden model and LiteRT differ, over all pictures."""
        if any(answer.mismatches is None for answer in self.answers):
            return None
        return sum(answer.mismatches for answer in self.answers)


def labelled_pictures(directory: str | Path) -> LabelledPictures:
    """The pictures of a directory with their classes.

    Either every class has a folder, class k being the k-th in the order of names, or the pictures' names begin with the
    index of their class and an underscore (``207_golden_retriever.jpg``).

    Raises:
        GraphError: the directory is missing, holds no pictures, some in folders and some not, or a picture has no
            class.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise GraphError(f"{directory} is no directory of pictures")
    loose = _pictures_in(directory)
    folders = sorted(path for path in directory.iterdir() if path.is_dir() and not path.name.startswith("."))
    if loose:
        if filled := next((folder for folder in folders if _pictures_in(folder)), None):
            raise GraphError(
                f"{directory} holds pictures itself ({loose[0].name}) and in folders ({filled.name}): which name the "
                "class is not clear; keep one kind"
            )
        found = []
        for path in loose:
            match = _INDEXED.match(path.name)
            if match is None:
                raise GraphError(
                    f"the class of {path} is unknown: begin the name with its index and an underscore (007_cat.jpg), "
                    "or make a folder for each class"
                )
            found.append(LabelledPicture(path, int(match[1])))
        return LabelledPictures(tuple(found), None)
    found = [LabelledPicture(path, label) for label, folder in enumerate(folders) for path in _pictures_in(folder)]
    if not found:
        raise GraphError(f"{directory} holds no pictures ({', '.join(SUFFIXES)}), nor do its folders")
    return LabelledPictures(tuple(found), len(folders))


def _pictures_in(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if path.is_file() and path.suffix.lower() in SUFFIXES)


def has_background(outputs: int, classes: int | None) -> bool:
    """Whether class 0 of a model is a background that the labels do not count.

    It is where a model has one output more than there are folders of classes; where names carry indices, where it has
    the 1001 outputs of ImageNet's 1000 classes.
    """
    return outputs == 1001 if classes is None else outputs == classes + 1


def check_labels(pictures: LabelledPictures, name: str, outputs: int) -> None:
    """Refuse labels that cannot be a model's, all of them at once, before the first picture is classified.

    Raises:
        GraphError: the folders of classes are not as many as the model's classes, or pictures have a class beyond them.
    """
    if pictures.classes is not None and pictures.classes not in (outputs, outputs - 1):
        raise GraphError(
            f"there are {pictures.classes} folders of classes, but {name} has {outputs} outputs: class k is the k-th "
            "folder, so every class needs one (it may be empty), or names that begin with the class's index and _"
        )
    background = has_background(outputs, pictures.classes)
    wrong = [picture for picture in pictures.pictures if picture.label + background >= outputs]
    if wrong:
        shown = ", ".join(f"{picture.path} ({picture.label})" for picture in wrong[:3])
        more = f" and {len(wrong) - 3:,} more" if len(wrong) > 3 else ""
        last = outputs - 1 - background
        raise GraphError(f"{name} has the classes 0 to {last}; of other classes are {shown}{more}")


def evaluate(
    graph: Graph,
    pictures: LabelledPictures,
    progress: Callable[[Answer], None] | None = None,
    reference: Reference | None = None,
    **options,
) -> Evaluation:
    """Classify every picture.

    Args:
        graph: a classifier with one picture as input; the class is the greatest element of its first output, the first
            of equals.
        pictures: what :func:`labelled_pictures` found.
        progress: called with each answer.
        reference: the same model in LiteRT, to be run beside it.
        options: ``resize``, ``mean`` and ``std`` of :func:`~mbconv.sim.pictures.pictures.load_picture`.

    Raises:
        GraphError: the graph has several inputs, a label exceeds its outputs, or a picture cannot be read.
    """
    if len(graph.inputs) != 1:
        raise GraphError(f"{graph.name} has {len(graph.inputs)} inputs; pictures can be evaluated with one only")
    source = graph.tensors[graph.inputs[0]]
    outputs = class_count(graph, graph.outputs[0])
    background = has_background(outputs, pictures.classes)
    picture_shape(source)
    check_labels(pictures, graph.name, outputs)
    answers = []
    for picture in pictures.pictures:
        label = picture.label + background
        values = {source.index: load_picture(picture.path, source, **options)}
        answer = _answer(graph, picture.path, label, values, reference)
        answers.append(answer)
        if progress is not None:
            progress(answer)
    return Evaluation(tuple(answers), background)


@dataclass(frozen=True)
class KernelComparison:
    """Kernels of LiteRT against the golden model.

    Attributes:
        kernels: the name of LiteRT's ``OpResolverType``.
        differ: pictures of which an output element differs.
        largest: the greatest difference of one, in the output's own numbers.
        other_class: pictures that are classified otherwise.
    """

    kernels: str
    pictures: int
    differ: int
    largest: float
    other_class: int


def compare_kernels(
    graph: Graph, pictures: LabelledPictures, model: str | Path, progress: Callable[[], object] | None = None, **options
) -> tuple[KernelComparison, ...]:
    """How far LiteRT's kernels, the reference and those it takes by default, are from the golden model.

    Args:
        model: the file of ``graph``.
        progress: called after each picture.
        options: as of :func:`evaluate`.

    Raises:
        OracleMissing: LiteRT is not installed.
        GraphError: a picture cannot be read.
    """
    source, output = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    litert = {kernels: Reference(model, kernels) for kernels in KERNELS}
    far = {kernels: np.zeros(len(pictures.pictures)) for kernels in KERNELS}
    other = dict.fromkeys(KERNELS, 0)
    for place, picture in enumerate(pictures.pictures):
        values = {source.index: load_picture(picture.path, source, **options)}
        wanted = golden.run(graph, values)
        for kernels, reference in litert.items():
            found = reference.run(values)
            far[kernels][place] = max(np.abs(wanted[i].astype(np.float64) - found[i]).max() for i in graph.outputs)
            other[kernels] += best_class(output, wanted[output.index]) != best_class(output, found[output.index])
        if progress is not None:
            progress()
    return tuple(
        KernelComparison(kernels, apart.size, int((apart > 0).sum()), float(apart.max()), other[kernels])
        for kernels, apart in far.items()
    )


def _answer(graph: Graph, path: Path, label: int, values: dict[int, np.ndarray], reference: Reference | None) -> Answer:
    results = golden.run(graph, values)
    output = graph.tensors[graph.outputs[0]]
    best = best_class(output, results[output.index])
    if reference is None:
        return Answer(path, label, best, None, None)
    expected = reference.run(values)
    mismatches = sum(int(np.count_nonzero(results[index] != expected[index])) for index in graph.outputs)
    return Answer(path, label, best, best_class(output, expected[output.index]), mismatches)
