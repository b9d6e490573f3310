"""What the engine's compiler knows of a circuit's nodes besides their instruction: one table, looked up by all."""

from __future__ import annotations

from dataclasses import dataclass

from ..stages.network import Node


@dataclass(frozen=True)
class Traits:
    """Of a circuit, on the engine.

    Attributes:
        instruction: what it becomes; "" for none.
        row_by_row: reads and writes maps row by row, whatever lies between their rows.
        several_rows: DEPTHWISE computes several of its rows at once.
        word_by_word: TABLE, whose operands and result have their words at the same places.
        one_table: a function of one element, which may change nothing that is stored.
        windows: DENSE over windows of a map: the first of a row may lie in one word.
    """

    instruction: str = ""
    row_by_row: bool = False
    several_rows: bool = False
    word_by_word: bool = False
    one_table: bool = False
    windows: bool = False


_TRAITS = {
    "pointwise": Traits("DENSE", row_by_row=True),
    "convolution": Traits("DENSE", row_by_row=True, windows=True),
    "depthwise": Traits("DEPTHWISE", row_by_row=True, several_rows=True),
    "pool": Traits("DEPTHWISE, of a whole map, rows or columns", row_by_row=True),
    "max_pool": Traits("DEPTHWISE"),
    "lookup": Traits("TABLE", row_by_row=True, word_by_word=True, one_table=True),
    "add": Traits("TABLE", row_by_row=True, word_by_word=True),
    "slice": Traits("DEPTHWISE, or DENSE where channels move within a word"),
    "pad": Traits("DEPTHWISE, or DENSE where channels move within a word"),
    "concatenate": Traits("DEPTHWISE, for each input"),
    "resize": Traits("DEPTHWISE, for each phase and edge"),
    "window_average": Traits("DEPTHWISE, for each edge"),
    "multiply": Traits("TABLE, of two maps; of a vector TABLE and DEPTHWISE", row_by_row=True, several_rows=True),
    "extremum": Traits("TABLE", row_by_row=True),
}


def traits_of(node: Node) -> Traits:
    """Of a node's circuit; none of them for one that is not listed."""
    return _TRAITS.get(node.kind, Traits())


def instructions() -> dict[str, str]:
    """By circuit, the instruction that it becomes."""
    return {circuit: traits.instruction for circuit, traits in _TRAITS.items()}
