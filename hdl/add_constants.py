"""The constants of an addition circuit and what it computes, in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class AddConstants:
    """The numbers of :class:`~mbconv.hdl.add.Add`.

    ::

        s      = first[x1 − least x1] + second[x2 − least x2]
        result = clamp(((s + (negative if s < 0 else positive)) >> shift) + zero_point, minimum, maximum)

    Args:
        first, second: one entry for each value of an operand, in ascending order of the values: 2^bits entries, entry 0
            for the least value (−2^(bits−1) of a signed operand, 0 of an unsigned one).
        positive, negative: rounding constants for s ≥ 0 and s < 0.
        shift: arithmetic right shift (floor), 0 to 48.
        zero_point, minimum, maximum: of the output.

    Raises:
        ValueError: tables whose lengths are no powers of two, a shift out of range, or limits that exclude everything.
    """

    first: tuple[int, ...]
    second: tuple[int, ...]
    positive: int
    negative: int
    shift: int
    zero_point: int
    minimum: int
    maximum: int

    def __post_init__(self) -> None:
        for name in ("first", "second"):
            table = tuple(int(entry) for entry in getattr(self, name))
            object.__setattr__(self, name, table)
            if not 4 <= len(table) <= 1 << 16 or len(table) & (len(table) - 1):
                raise ValueError(f"the table {name} has 2^bits entries for 2 to 16 bits, not {len(table)}")
            if max(map(abs, table)) >> 48:
                raise ValueError(f"the table {name} holds an entry of more than 48 bits")
        if not 0 <= self.shift <= 48:
            raise ValueError(f"the shift is 0 to 48, not {self.shift}")
        if self.minimum > self.maximum:
            raise ValueError(f"no value lies within the limits {self.minimum}..{self.maximum}")

    def compute(self, x1: np.ndarray, x2: np.ndarray, *, signed: tuple[bool, bool] = (True, True)) -> np.ndarray:
        """What the circuit computes, bit for bit, for arrays of operands; ``signed`` says it of each operand."""
        first, second = (
            np.array(table, np.int64)[np.asarray(x, np.int64) + (len(table) // 2 if is_signed else 0)]
            for table, x, is_signed in zip((self.first, self.second), (x1, x2), signed, strict=True)
        )
        s = first + second
        result = (s + np.where(s < 0, self.negative, self.positive)) >> self.shift
        return np.clip(result + self.zero_point, self.minimum, self.maximum)
