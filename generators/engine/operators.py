"""The operators that an engine computes: ``python -m mbconv.generators.engine.operators`` prints them.

They come from the registry of operators and the compiler's table of circuits.
"""

from __future__ import annotations

import re
from inspect import getmodule

from ..operators.registry import OPERATORS
from .traits import instructions


def engine_table() -> str:
    """A row for each operator of which a form has instructions: its circuits, and what each of them becomes."""
    rows = ["| operator | circuit | instructions |", "|---|---|---|"]
    known = instructions()
    for operator in sorted(OPERATORS, key=lambda operator: operator.KIND):
        circuits = [name for name in re.findall(r"`(\w+)`", operator.BECOMES) if name in known]
        if circuits:
            codes = ", ".join(form.code for form in getmodule(operator).TFLITE) or operator.KIND
            found = "; ".join(dict.fromkeys(known[name] for name in circuits))
            rows.append(f"| {codes} | {', '.join(f'`{name}`' for name in circuits)} | {found} |")
    return "\n".join(rows)


if __name__ == "__main__":
    from mbconv.cli_status import run_module

    run_module(lambda: print(engine_table()))
