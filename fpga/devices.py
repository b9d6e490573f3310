"""``python -m mbconv.fpga.devices [FAMILY …]`` asks the tools what every device has and writes the families' tables."""

from __future__ import annotations

import json
import sys

from .families import FAMILIES
from .family import DEVICES, Family
from .flow.tools import tool_versions


def table_text(family: Family) -> str:
    """A family's table as it is kept."""
    return json.dumps({"tools": tool_versions(family.nextpnr), "devices": family.survey()}, indent=1) + "\n"


def main(names: list[str]) -> None:
    for family in FAMILIES:
        if not names or family.name.lower() in names:
            (family.folder / DEVICES).write_text(table_text(family), encoding="utf-8")
            print(f"{family.name}: {family.folder / DEVICES}")


if __name__ == "__main__":
    main([name.lower() for name in sys.argv[1:]])
