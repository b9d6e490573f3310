"""Tables of numbers that are never cut off: where the terminal is narrow, a row takes several lines."""

from __future__ import annotations

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

_GAP = 3  # cells between two columns, and one at the left


class Rows:
    """A table whose columns stand side by side where there is room, and stacked in twos, threes … where there is not.

    Args:
        columns: the headings.
        left: those whose text begins at the left; all others are numbers and end at the right. Text may be broken
            into lines, numbers never are.
        keys: how many of the first columns say what a row is; they are not stacked.
    """

    def __init__(self, *columns: str, left: tuple[str, ...] = (), keys: int = 1):
        self.columns, self.left, self.keys = columns, left, keys
        self.rows: list[tuple[str, ...] | None] = []

    def add_row(self, *cells: str) -> None:
        """A row, a cell for each column."""
        if len(cells) != len(self.columns):
            raise ValueError(f"{len(cells)} cells for {len(self.columns)} columns")
        self.rows.append(cells)

    def add_section(self) -> None:
        """A line before the next row."""
        self.rows.append(None)

    def __rich_console__(self, console: Console, options):
        yield self.for_width(options.max_width)

    def for_width(self, width: int) -> Table:
        """The table with as few lines for a row as the width allows."""
        stacks = range(1, max(2, len(self.columns) - self.keys + 1))
        lines = next((lines for lines in stacks if self._width(lines) <= width), stacks[-1])
        groups = self._groups(lines)
        room = max(0, width - self._width(lines))  # beyond the longest words, for text in their order
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for group in groups:
            text = all(self.columns[place] in self.left for place in group)
            heading = "\n".join(self.columns[place] for place in group)
            least = max(map(self._cell_width, group))
            taken = min(room, max(map(self._whole_width, group)) - least) if text else 0
            room -= taken
            table.add_column(
                heading, justify="left" if text else "right", no_wrap=not text, overflow="fold", width=least + taken
            )
        for row in self.rows:
            if row is None:
                table.add_section()
            else:
                table.add_row(*("\n".join(row[place] for place in group).rstrip("\n") for group in groups))
        return table

    def _groups(self, lines: int) -> list[list[int]]:
        """The columns that share one place, from top to bottom; text stands with text."""
        groups = [[place] for place in range(self.keys)]
        for place in range(self.keys, len(self.columns)):
            last = groups[-1]
            same = (self.columns[last[0]] in self.left) == (self.columns[place] in self.left)
            if last[0] >= self.keys and len(last) < lines and same:
                last.append(place)
            else:
                groups.append([place])
        return groups

    def _width(self, lines: int) -> int:
        """What the table takes; text may be broken at the width of its longest word."""
        widths = [max(map(self._cell_width, group)) for group in self._groups(lines)]
        return sum(widths) + _GAP * (len(widths) - 1) + 2

    def _whole_width(self, place: int) -> int:
        return max(cell_len(cell) for cell in (self.columns[place], *(row[place] for row in self.rows if row)))

    def _cell_width(self, place: int) -> int:
        cells = [self.columns[place], *(row[place] for row in self.rows if row is not None)]
        if self.columns[place] in self.left:
            cells = [word for cell in cells for word in cell.split() or [""]]
        return max(map(cell_len, cells))
