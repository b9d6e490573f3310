"""What a program's layers take: cycles, multipliers used, bytes fetched, and what bounds them."""

from __future__ import annotations

from dataclasses import dataclass

from mbconv.hdl.engine.instruction import Operation
from mbconv.hdl.engine.latencies import Latencies

from .compile import Instruction, Program
from .cycles import block_results, block_slots
from .overlap import Part

_NOTEWORTHY = 0.05
"""Of a layer's cycles; if more are waited for weights, these bound it."""


@dataclass(frozen=True)
class LayerReport:
    """A layer, all of its instructions.

    Attributes:
        late: it is computed among the next frame's first layers.
        instructions: how many; more than one where its map is computed some rows at a time.
        cycles: of frames that follow one another.
        waits: of the cycles, those in which weights are waited for.
        weight_bytes: of the layer; fetched: through the port, in a frame.
        bound: ``weights``, ``requantisation``, ``map`` (a word for each pixel is read), ``multipliers``, ``table``, or
            ``stream``.
    """

    name: str
    late: bool
    instructions: int
    cycles: int
    waits: int
    macs: int
    share_of_peak: float
    weight_bytes: int
    fetched: int
    bound: str


def layer_reports(program: Program) -> list[LayerReport]:
    """Of a program's layers, in the order in which they begin."""
    by_name: dict[str, list[Instruction]] = {}
    for one in program.instructions:
        by_name.setdefault(one.name, []).append(one)
    engine, found = Latencies(program.parameters), []
    for name, pieces in by_name.items():
        part = Part.BOTH if program.overlaps else Part.EARLY
        cycles, waits = (sum(one.times[part][kind] for one in pieces) for kind in (0, 1))
        macs = pieces[-1].layer.macs
        found.append(
            LayerReport(
                name,
                pieces[-1].late,
                len(pieces),
                cycles,
                waits,
                macs,
                macs / (cycles * program.parameters.lanes),
                pieces[-1].weight_bytes,
                sum(one.fetched for one in pieces),
                "weights" if waits > _NOTEWORTHY * cycles else _bound(engine, pieces[-1]),
            )
        )
    return found


def _bound(engine: Latencies, one: Instruction) -> str:
    values = one.layer.values | one.values
    operation = values["operation"]
    if operation in (Operation.INPUT, Operation.OUTPUT, Operation.END):
        return "stream"
    if operation == Operation.TABLE:
        return "table"
    slots, _ = block_slots(engine, values)
    if block_results(engine, values) > slots:
        return "requantisation"
    if operation == Operation.DEPTHWISE:
        return "map"
    p = engine.parameters
    elements = values["words"] * p.channels + values["tail"] + 1
    used = (values["rows"] + 1) * (values["columns"] + 1) * elements
    return "multipliers" if used == slots else "map"
