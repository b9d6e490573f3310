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
