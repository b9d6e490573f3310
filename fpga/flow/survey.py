"""What nextpnr says of a device: asked with a netlist of one flip-flop that is packed and goes no further, or with one
of nothing but macros."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from .macros import Site
from .tools import YOSYS, ToolError, run_tool

_DESIGN = "module top (input clk, d, output reg q); always @(posedge clk) q <= d; endmodule\n"


@cache
def trivial_netlist(synthesis: str) -> str:
    """A netlist for nextpnr, made by one of Yosys' scripts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "top.v").write_text(_DESIGN)
        run_tool(YOSYS, ["-p", f"read_verilog top.v; {synthesis} -top top -json top.json"], folder, "log")
        return (folder / "top.json").read_text()


def refused_package(error: ToolError) -> bool:
    return "package" in str(error)


def probe(
    nextpnr: str,
    netlist: str,
    arguments: Sequence[str],
    refused: Callable[[ToolError], bool] = lambda error: False,
    files: dict[str, str] | None = None,
) -> dict[str, int] | None:
    """How many cells of each kind a device has, by nextpnr's names; None where nextpnr says no in a way that
    ``refused`` expects.

    Args:
        files: further files that the arguments name.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in {"top.json": netlist, **(files or {})}.items():
            (folder / file).write_text(text)
        try:
            run_tool(nextpnr, ["--json", "top.json", "--pack-only", "--report", "report", *arguments], folder, "log")
        except ToolError as error:
            if refused(error):
                return None
            raise
        report = json.loads((folder / "report").read_text())
    return {kind: count["available"] for kind, count in sorted(report["utilization"].items()) if count["available"]}


_SITE = re.compile(r"X(\d+)/Y(\d+)/")


def probe_sites(nextpnr: str, macros: Mapping[str, int], arguments: Sequence[str]) -> dict[str, list[Site]]:
    """The sites of types of cells, of each of which a device has as many as are given: nextpnr places a netlist that
    takes them all."""
    cells = {
        f"{kind}_{index}": {"type": kind, "parameters": {}, "attributes": {}, "port_directions": {}, "connections": {}}
        for kind, count in macros.items()
        for index in range(count)
    }
    top = {"attributes": {"top": f"{1:032b}"}, "ports": {}, "cells": cells, "netnames": {}}
    sites: dict[str, list[Site]] = {kind: [] for kind in macros}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "top.json").write_text(json.dumps({"creator": "", "modules": {"top": top}}))
        run_tool(nextpnr, ["--json", "top.json", "--no-route", "--write", "placed.json", *arguments], folder, "log")
        placed = json.loads((folder / "placed.json").read_text())
    for cell in placed["modules"]["top"]["cells"].values():
        if cell["type"] in sites:
            place = cell["attributes"]["NEXTPNR_BEL"]
            x, y = map(int, _SITE.match(place).groups())
            sites[cell["type"]].append(Site(place, x, y))
    return {kind: sorted(found, key=lambda site: (site.y, site.x, site.name)) for kind, found in sites.items()}
