"""Which stage lies where on the FPGA: read from nextpnr's placement, drawn as a picture."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from .stages import stage_of

_PLACE = re.compile(r"X(\d+)/?Y(\d+)/")
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee7733", "#009988", "#bb5566",
            "#ddaa33", "#6699cc", "#997700", "#994455", "#44bb99", "#99ddff", "#882255")  # fmt: skip
_TILE, _ROW, _LABELS, _BARS, _TEXT, _LETTER = 8, 16, 330, 300, 12, 7  # pixels


@dataclass(frozen=True)
class Floorplan:
    """A placement.

    Attributes:
        tiles: for each place (column, row from below) its cells by stage.
        cells: for each stage its cells by kind, as nextpnr names kinds.
        path: the places of the critical path, one after another.
    """

    tiles: Mapping[tuple[int, int], Counter]
    cells: Mapping[str, Counter]
    path: tuple[tuple[int, int], ...]

    @property
    def stages(self) -> list[str]:
        """Those with the most cells first."""
        return sorted(self.cells, key=lambda stage: (-self.cells[stage].total(), stage))


def read_floorplan(placed: Path, path: tuple[str, ...]) -> Floorplan:
    """Read a placement that nextpnr wrote with ``--write``.

    Args:
        path: pins (``cell.port``) of the critical path.

    Raises:
        ValueError: no cell in the file has a place.
    """
    tiles: dict[tuple[int, int], Counter] = {}
    cells: dict[str, Counter] = {}
    places: dict[str, tuple[int, int]] = {}
    for module in json.loads(placed.read_text(encoding="utf-8"))["modules"].values():
        for name, cell in module["cells"].items():
            found = _PLACE.match(cell["attributes"].get("NEXTPNR_BEL", ""))
            if found is None:
                continue
            place = int(found[1]), int(found[2])
            places[name] = place
            stage = stage_of(f"{name}.port")
            tiles.setdefault(place, Counter())[stage] += 1
            cells.setdefault(stage, Counter())[cell["type"]] += 1
    if not cells:
        raise ValueError(f"{placed} has no cell with a place")
    # A cell's name may have points of its own; the port behind the last one has none.
    steps = [places[cell] for cell in (pin.rpartition(".")[0] for pin in path) if cell in places]
    return Floorplan(tiles, cells, tuple(step for n, step in enumerate(steps) if n == 0 or step != steps[n - 1]))


def draw(floorplan: Floorplan, title: str) -> str:
    """An SVG: every tile in the colour of the stage that has most of its cells, the critical path as a line, and for
    each stage a bar of its cells with their numbers by kind."""
    stages = floorplan.stages
    colours = {stage: _COLOURS[index % len(_COLOURS)] for index, stage in enumerate(stages)}
    columns = 1 + max(column for column, _ in floorplan.tiles)
    rows = 1 + max(row for _, row in floorplan.tiles)

    def corner(column: int, row: int) -> tuple[int, int]:
        return column * _TILE, _ROW + (rows - 1 - row) * _TILE

    body = [f'<text x="0" y="{_TEXT}">{escape(title)}</text>']
    fullest = max(tile.total() for tile in floorplan.tiles.values())
    for (column, row), tile in sorted(floorplan.tiles.items()):
        stage = max(tile, key=lambda one: (tile[one], one))
        x, y = corner(column, row)
        body.append(
            f'<rect x="{x}" y="{y}" width="{_TILE}" height="{_TILE}" fill="{colours[stage]}" '
            f'fill-opacity="{0.35 + 0.65 * tile.total() / fullest:.2f}"><title>{escape(stage)}: '
            f"{tile[stage]} of {tile.total()} cells at {column}, {row}</title></rect>"
        )
    if floorplan.path:
        points = " ".join(
            f"{x + _TILE // 2},{y + _TILE // 2}" for x, y in (corner(column, row) for column, row in floorplan.path)
        )
        body.append(f'<polyline class="path" points="{points}" fill="none" stroke="black" stroke-width="2"/>')
    left, most = columns * _TILE + _ROW, floorplan.cells[stages[0]].total()
    width = _LETTER * len(title)
    for index, stage in enumerate(stages):
        y, count = (index + 1) * _ROW, floorplan.cells[stage]
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(count.items()))
        length = max(1, round(_BARS * count.total() / most))
        body.append(f'<text x="{left}" y="{y + _TEXT}">{escape(stage)}</text>')
        body.append(
            f'<rect class="bar" x="{left + _LABELS}" y="{y + 2}" width="{length}" height="{_TEXT}" '
            f'fill="{colours[stage]}"/>'
        )
        body.append(f'<text x="{left + _LABELS + length + 4}" y="{y + _TEXT}">{escape(kinds)}</text>')
        width = max(width, left + _LABELS + length + 4 + _LETTER * len(kinds))
    height = _ROW + max(rows * _TILE, (len(stages) + 1) * _ROW)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        'font-size="11"><rect width="100%" height="100%" fill="white"/>'
    )
    return "\n".join([head, *body, "</svg>"]) + "\n"
