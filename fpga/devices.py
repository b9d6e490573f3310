"""``python -m mbconv.fpga.devices [FAMILY …]`` asks the tools what every device has and writes the families' tables."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from .families import FAMILIES
from .family import DEVICES, Family
from .flow.tools import tool_versions


def table_text(family: Family) -> str:
    """A family's table as it is kept."""
    return json.dumps({"tools": tool_versions(family.nextpnr), "devices": family.survey()}, indent=1) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m mbconv.fpga.devices", description=__doc__)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"some of {', '.join(f.name for f in FAMILIES)}")
    names = {name.lower() for name in parser.parse_args(arguments).families}
    if unknown := sorted(names - {family.name.lower() for family in FAMILIES}):
        parser.error(f"no family is called {unknown[0]!r}; there are {', '.join(f.name for f in FAMILIES)}")
    for family in FAMILIES:
        if not names or family.name.lower() in names:
            (family.folder / DEVICES).write_text(table_text(family), encoding="utf-8")
            print(f"{family.name}: {family.folder / DEVICES}")


if __name__ == "__main__":
    from mbconv.cli_status import run_module

    run_module(main)
