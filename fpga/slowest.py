"""``python -m mbconv.fpga.slowest DIR [SEED]``: where the slowest paths of a build end, part by part.

nextpnr names one critical path, and many ends of the same part may lie just behind it. This lists every part of the
design with an end that is nearly as late, so that one sees how far the clock goes once the first of them is mended.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .flow.stages import stage_of

NEARLY = 0.8
"""Of the latest arrival: parts with an end at least as late are listed."""

_DEPTH = 2
_KINDS = {"CE": "enable", "LSR": "reset"}


@dataclass(frozen=True)
class LateEnds:
    """The late ends of a part: registers, memories or multipliers where paths end.

    Attributes:
        stage, part: the stage, and the instances within it, two levels deep.
        kind: ``data``, ``enable`` or ``reset``.
        latest_ns: after the clock's edge, of the latest; without the end's setup time.
        count: of those that are as late as :data:`NEARLY` of the design's latest.
    """

    stage: str
    part: str
    kind: str
    latest_ns: float
    count: int


def late_ends(report: dict) -> list[LateEnds]:
    """The parts with late ends in nextpnr's detailed timing report, the latest first.

    Raises:
        ValueError: the report has no detailed timing.
    """
    found = [
        (end["delay"][1], end["cell"], end["port"])
        for net in report.get("detailed_net_timings", ())
        for end in net["endpoints"]
        if net["event"] == end["event"]  # from a register to one of the same clock
    ]
    if not found:
        raise ValueError("it has no timing of nets")
    least = NEARLY * max(delay for delay, _, _ in found)
    groups: dict[tuple[str, str, str], list[float]] = {}
    for delay, cell, port in found:
        if delay >= least:
            groups.setdefault((*_part(f"{cell}.{port}"), _KINDS.get(port, "data")), []).append(delay)
    ends = [LateEnds(*group, max(delays), len(delays)) for group, delays in groups.items()]
    return sorted(ends, key=lambda end: (-end.latest_ns, end.stage, end.part))


def _part(pin: str) -> tuple[str, str]:
    stage = stage_of(pin)
    instances = pin.split(".")[:-2]
    below = instances[instances.index(stage) + 1 :] if stage in instances else []
    return stage, ".".join(below[:_DEPTH])


def table(ends: Sequence[LateEnds]) -> str:
    """The parts as a table of Markdown."""
    lines = ["| stage | part | ends | latest, ns | MHz | nearly as late |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {end.stage} | {end.part} | {end.kind} | {end.latest_ns:.2f} | {1000 / end.latest_ns:.1f} | {end.count} |"
        for end in ends
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m mbconv.fpga.slowest", description="Where the slowest paths of a build end, part by part."
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="of mbconv build, or one of its attempts")
    parser.add_argument("seed", type=int, nargs="?", default=1, help="[default: %(default)s]")
    options = parser.parse_args(arguments)
    file = options.folder / f"timing_{options.seed}.json"
    try:
        print(table(late_ends(json.loads(file.read_text(encoding="utf-8")))))
    except OSError:
        print(f"mbconv: {file} is not there: has mbconv build placed and routed seed {options.seed}?", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"mbconv: {file} is no detailed timing report of nextpnr: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    from mbconv.cli_status import run_module

    run_module(main)
