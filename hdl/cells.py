"""The memories, multipliers and global buffers of a design: what a family of FPGAs puts its own cells in place of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True)
class MemoryCell:
    """An instance of ``mbconv_ram``, ``mbconv_single_port_ram`` or ``mbconv_rom``.

    Attributes:
        kind: ``ram``, ``single_port_ram`` or ``rom``.
        width, depth: bits of a word, and words.
        name: of a ROM, whose contents are in the file ``<name>.hex``; a RAM has none.
        words: a ROM's contents.
        latency: cycles from an address to its word.
    """

    kind: str
    width: int
    depth: int
    name: str = ""
    words: Sequence[int] = ()
    latency: int = 2

    @property
    def file(self) -> str:
        """The file of the contents; empty for a RAM."""
        return f"{self.name}.hex" if self.kind == "rom" else ""

    @property
    def address_width(self) -> int:
        return max(1, (self.depth - 1).bit_length())

    @property
    def text(self) -> str:
        """A ROM's contents as ``$readmemh`` reads them."""
        digits = -(-self.width // 4)
        return "".join([f"{word:0{digits}x}\n" for word in self.words])


@dataclass(frozen=True)
class MultiplierCell:
    """An instance of ``mbconv_multiply`` with its parameters.

    Attributes:
        dsp_count: how many of its products, the first ones, are for the family's multiplier cells.
        of_array: its products are those of a multiply-accumulate array.
    """

    count: int
    a_count: int
    a_width: int
    a_signed: bool
    b_width: int
    b_signed: bool
    latency: int = 3
    dsp_count: int = 0
    of_array: bool = True


@dataclass
class Cells:
    """Every memory and multiplier that was elaborated, in the order of elaboration, and how many global buffers."""

    memories: list[MemoryCell] = field(default_factory=list)
    multipliers: list[MultiplierCell] = field(default_factory=list)
    global_buffers: int = 0

    @property
    def kinds(self) -> set[str]:
        """The primitives that are instantiated, by their modules' names without ``mbconv_``."""
        kinds = {memory.kind for memory in self.memories}
        return (
            kinds
            | ({"multiply"} if self.multipliers else set())
            | ({"global_buffer"} if self.global_buffers else set())
        )

    def add(self, others: Cells) -> None:
        """Put others behind these."""
        self.memories += others.memories
        self.multipliers += others.multipliers
        self.global_buffers += others.global_buffers

    def memory_files(self) -> dict[str, str]:
        """The contents of the ROMs by file name.

        Raises:
            ValueError: two ROMs of one name have different contents.
        """
        roms: dict[str, MemoryCell] = {}
        for cell in self.memories:
            if cell.kind != "rom":
                continue
            other = roms.setdefault(cell.file, cell)
            if other is not cell and (other.width != cell.width or list(other.words) != list(cell.words)):
                raise ValueError(f"two memories of different contents are both named {cell.name}")
        return {name: cell.text for name, cell in roms.items()}


_collected: ContextVar[Cells | None] = ContextVar("cells", default=None)


@contextmanager
def collect_cells() -> Iterator[Cells]:
    """Collect every memory, multiplier and global buffer that is elaborated within."""
    cells = Cells()
    token = _collected.set(cells)
    try:
        yield cells
    finally:
        _collected.reset(token)


def record_memory(cell: MemoryCell) -> None:
    """Add a memory to those collected, if somebody collects."""
    if (cells := _collected.get()) is not None:
        cells.memories.append(cell)


def record_multipliers(cell: MultiplierCell) -> None:
    """Add multipliers to those collected, if somebody collects."""
    if (cells := _collected.get()) is not None:
        cells.multipliers.append(cell)


def record_global_buffer() -> None:
    """Count a global buffer, if somebody collects."""
    if (cells := _collected.get()) is not None:
        cells.global_buffers += 1
