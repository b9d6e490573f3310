"""How a large object shows itself: one line where Python prints it, a table in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape


class Shown:
    """A mixin: :meth:`shown` says what is worth knowing. A dataclass keeps this ``__repr__``."""

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "__repr__" not in vars(cls):
            cls.__repr__ = Shown.__repr__  # type: ignore[method-assign]

    def shown(self) -> Mapping[str, object]:
        """What to show, by name, in order."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(f'{name} {_text(value)}' for name, value in self.shown().items())}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(_text(value))}</td></tr>"
            for name, value in self.shown().items()
        )
        return f"<table><caption>{type(self).__name__}</caption>{rows}</table>"


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def counted(count: int, noun: str) -> str:
    """``1 multiplier``, ``2,048 multipliers``, ``0 mismatches``: a count with its noun, given in the singular."""
    plural = f"{noun}es" if noun.endswith(("s", "x", "ch")) else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
