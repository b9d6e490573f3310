"""Boxes in a picture: from what the network saw of it to the picture itself, and drawn on it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mbconv.generators.emission.files import write_whole
from mbconv.generators.graph.graph import GraphError, Tensor

from ..pictures.picture_file import open_picture
from ..pictures.pictures import picture_shape, seen_part
from .detector import Box

_COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#808000")


def in_picture(boxes: Sequence[Box], size: tuple[int, int], source: Tensor, resize: str | int) -> list[Box]:
    """Boxes in parts of a picture, cut at its edges, from boxes in parts of the network's input.

    Args:
        size: the picture's width and height.
        source: the network's input.
        resize: how the picture became it (:func:`~mbconv.sim.pictures.pictures.load_picture`).
    """
    height, width, _, _ = picture_shape(source)
    left, top, right, bottom = seen_part(size, width, height, resize)

    def across(part: float) -> float:
        return min(max((left + part * (right - left)) / size[0], 0.0), 1.0)

    def down(part: float) -> float:
        return min(max((top + part * (bottom - top)) / size[1], 0.0), 1.0)

    return [
        replace(box, top=down(box.top), left=across(box.left), bottom=down(box.bottom), right=across(box.right))
        for box in boxes
    ]


def check_drawing(path: Path) -> None:
    """Refuse a name that says no kind of picture.

    Raises:
        GraphError: its suffix is of none that Pillow writes.
    """
    _format(path)


def draw_boxes(picture: Path, boxes: Sequence[Box], labels: Sequence[str] | None, path: Path) -> None:
    """Write a picture with its boxes, each with its class and score.

    Raises:
        GraphError: the picture cannot be read, or the file's name says no kind of picture.
        OSError: it cannot be written.
    """
    from PIL import ImageDraw, ImageFont

    kind = _format(path)
    drawn = open_picture(picture, "RGB")
    draw = ImageDraw.Draw(drawn)
    size = max(10, min(drawn.size) // 24)
    font = ImageFont.load_default(size)
    for box in reversed(boxes):  # the best on top
        colour = _COLOURS[box.index % len(_COLOURS)]
        left, right = (round(part * (drawn.width - 1)) for part in (box.left, box.right))
        top, bottom = (round(part * (drawn.height - 1)) for part in (box.top, box.bottom))
        draw.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour, width=max(2, size // 8))
        text = f"{box_label(box, labels)} {box.score:.2f}"
        place = left, max(0, top - size - 2)
        draw.rectangle(draw.textbbox(place, text, font=font), fill=colour)
        draw.text(place, text, fill="white", font=font)
    content = io.BytesIO()
    drawn.save(content, kind)
    write_whole(path, content.getvalue())


def box_label(box: Box, labels: Sequence[str] | None) -> str:
    """A box's class by its name, or its number."""
    return f"class {box.index}" if labels is None else labels[box.index]


def _format(path: Path) -> str:
    from PIL import Image

    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind is None or kind not in Image.SAVE:
        raise GraphError(f"{path} says no kind of picture that can be written: end it with .png or .jpg")
    return kind
