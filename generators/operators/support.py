"""The table of supported operators, from the registry: ``python -m mbconv.generators.operators.support`` prints it."""

from __future__ import annotations

from inspect import getdoc, getmodule

from .registry import OPERATORS

NOTHING_YET = "nothing yet: `info`, `predict` and `evaluate` only"


def support_table() -> str:
    """A row for each operator: its codes in ``.tflite`` files, what it computes, what it becomes."""
    rows = ["| operator | computes | becomes |", "|---|---|---|"]
    for operator in sorted(OPERATORS, key=lambda operator: operator.KIND):
        codes = [form.code for form in getmodule(operator).TFLITE]
        described = " ".join((getdoc(operator) or "").split("\n\n")[0].split()).replace("``", "`")
        rows.append(f"| {', '.join(codes) or operator.KIND} | {described} | {operator.BECOMES or NOTHING_YET} |")
    return "\n".join(rows)


if __name__ == "__main__":
    from mbconv.cli_status import run_module

    run_module(lambda: print(support_table()))
