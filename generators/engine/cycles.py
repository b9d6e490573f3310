"""How many cycles an instruction takes, exactly, where nothing outside the engine waits."""

from __future__ import annotations

from collections.abc import Mapping

from mbconv.hdl.engine.instruction import Operation
from mbconv.hdl.engine.latencies import Latencies


def block_slots(engine: Latencies, values: Mapping[str, int]) -> tuple[int, int]:
    """Slots of a block of a DENSE or DEPTHWISE, and how many of them follow its last element."""
    p = engine.parameters
    taps = (values["rows"] + 1) * (values["columns"] + 1)
    if values["operation"] == Operation.DEPTHWISE:
        return taps, 0
    tail = values["tail"] + 1
    last = max(tail, p.pixels)
    return taps * (values["words"] * max(p.channels, p.pixels) + last), last - tail


def instruction_cycles(engine: Latencies, values: Mapping[str, int]) -> int:
    """Cycles from the end of the instruction before, or a frame's beginning, to the end of this one."""
    p, operation = engine.parameters, values["operation"]
    start = engine.control
    behind_last = p.result_cycles - 1  # cycles that nothing waits for after the last result
    if operation == Operation.INPUT:
        return start + _elements(engine, values) + 1
    if operation == Operation.OUTPUT:
        words = (values["pixels"] + 1) * (values["words"] + 1)
        return start + _elements(engine, values) + words * (1 + engine.memory)
    if operation == Operation.TABLE:
        period = max(p.word_cycles, 1 + values["binary"])
        return start + values["pixels"] * period + p.word_cycles - behind_last + engine.table
    slots, behind = block_slots(engine, values)
    results = p.word_cycles * (p.pixels if operation == Operation.DENSE else 1)
    blocks = (values["blocks"] + 1) * (values["groups"] + 1)
    return start + (blocks - 1) * max(slots, results) + slots - behind + results - behind_last + engine.compute


def _elements(engine: Latencies, values: Mapping[str, int]) -> int:
    """Elements of a packet."""
    return (values["pixels"] + 1) * (values["words"] * engine.parameters.channels + values["tail"] + 1)
