"""Pictures with the boxes that are really there, from a JSON file.

::

    {"000000000036": {"person_boxes_xyxy_norm": [[left, top, right, bottom], …]}, …}

An entry is a picture's name, with or without its suffix; ``<class>_boxes_xyxy_norm`` its boxes of a class, in parts of
the picture. Whatever else an entry holds is left alone.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from mbconv.generators.graph.graph import GraphError

from ..pictures.evaluate import SUFFIXES
from .average_precision import Edges

_BOXES = "_boxes_xyxy_norm"


@dataclass(frozen=True)
class BoxedPictures:
    """Pictures, and for each class its boxes in every one of them."""

    pictures: tuple[Path, ...]
    boxes: dict[str, tuple[tuple[Edges, ...], ...]]

    def spread(self, limit: int | None) -> BoxedPictures:
        """So many of them at most, spread evenly."""
        if limit is None or limit >= len(self.pictures):
            return self
        kept = [k * len(self.pictures) // limit for k in range(limit)]
        boxes = {name: tuple(there[k] for k in kept) for name, there in self.boxes.items()}
        return BoxedPictures(tuple(self.pictures[k] for k in kept), boxes)


def boxed_pictures(path: Path, directory: Path | None = None) -> BoxedPictures:
    """The pictures that a file names, with their boxes.

    Args:
        directory: where they lie; beside the file by default.

    Raises:
        GraphError: the file cannot be read or has another form, or a picture is missing.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise GraphError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    except ValueError as error:
        raise GraphError(f"{path} is no JSON: {error}") from None
    if not isinstance(found, dict) or not found or not all(isinstance(entry, dict) for entry in found.values()):
        raise GraphError(f'{path} holds no pictures; it has the form {{"picture": {{"person{_BOXES}": [[…]]}}, …}}')
    classes = sorted({key.removesuffix(_BOXES) for entry in found.values() for key in entry if key.endswith(_BOXES)})
    if not classes:
        raise GraphError(f"{path} holds no boxes: no picture has an entry that ends with {_BOXES}")
    boxes = {
        name: tuple(_edges(path, picture, entry.get(name + _BOXES, [])) for picture, entry in found.items())
        for name in classes
    }
    folder = path.parent if directory is None else directory
    if not folder.is_dir():
        raise GraphError(f"{folder} is no directory of pictures")
    by_name = {name: file for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES
               for name in (file.name, file.stem)}  # fmt: skip
    missing = [name for name in found if name not in by_name]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise GraphError(f"{folder} lacks pictures that {path} names: {', '.join(missing[:3])}{more}")
    return BoxedPictures(tuple(by_name[name] for name in found), boxes)


def _edges(path: Path, picture: str, boxes: object) -> tuple[Edges, ...]:
    if not isinstance(boxes, list) or not all(_is_box(box) for box in boxes):
        raise GraphError(
            f"{path}: the boxes of {picture} are no list of [left, top, right, bottom] in parts of the picture, each "
            "from 0 to 1"
        )
    return tuple((float(top), float(left), float(bottom), float(right)) for left, top, right, bottom in boxes)


def _is_box(box: object) -> bool:
    if not isinstance(box, list) or len(box) != 4:
        return False
    if not all(isinstance(edge, int | float) and not isinstance(edge, bool) and math.isfinite(edge) for edge in box):
        return False
    left, top, right, bottom = box
    return 0 <= left <= right <= 1 and 0 <= top <= bottom <= 1
