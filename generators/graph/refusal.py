"""How refusals are told: all at once, equal ones on one line, and what can be used all the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

# What differs between operators that are refused for one reason.
_PARTICULARS = re.compile(r"tensor \d+ '[^']*'|tensor \d+|operator \d+( [A-Z0-9_]+)?|\[[-\d, ]*\]|-?\d[\d.,e+-]*")


def refusal_lines(problems: Iterable[tuple[int, str, str]]) -> list[str]:
    """One line for each kind of operator and reason, with the indices of all operators that have it.

    Args:
        problems: index, kind and a phrase that follows the operator's name, for each problem.
    """
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for index, kind, phrase in problems:
        groups.setdefault((kind, _PARTICULARS.sub("…", phrase)), []).append((index, phrase))
    lines = []
    for (kind, _), members in groups.items():
        indices = list(dict.fromkeys(index for index, _ in members))
        phrases = list(dict.fromkeys(phrase for _, phrase in members))
        if len(indices) == 1:
            lines += [f"operator {indices[0]} {kind} {phrase}" for phrase in phrases]
        elif len(phrases) == 1:
            lines.append(f"operators {', '.join(map(str, indices))} {kind}: each {phrases[0]}")
        else:
            lines.append(f"operators {', '.join(map(str, indices))} {kind}: each alike, the first {phrases[0]}")
    return lines


def usable_range(
    indices: Sequence[int], refused: Iterable[int], usable: Callable[[int, int], bool], tries: int = 3
) -> str | None:
    """A sentence that names the longest range of operators without a refused one, if one can be used.

    Args:
        indices: all operators', ascending.
        refused: those of refused operators.
        usable: whether a range, half open, can be used; asked for a few of the longest.
    """
    refused = set(refused)
    runs: list[list[int]] = [[]]
    for index in indices:
        if index in refused:
            runs.append([])
        else:
            runs[-1].append(index)
    runs = sorted((run for run in runs if run), key=len, reverse=True)
    for run in runs[:tries]:
        first, last = run[0], run[-1] + 1
        if usable(first, last):
            what = f"Operators {first} to {last - 1}" if last - first > 1 else f"Operator {first}"
            return f"{what} can be used alone: --layers {first}:{last}"
    return None
