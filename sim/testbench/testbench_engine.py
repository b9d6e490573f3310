"""The test bench of an emitted engine: as a network's (:mod:`.testbench`), with the packet that brings the network."""

from __future__ import annotations

from collections.abc import Sequence

from mbconv.generators.emission.bundle import Bundle
from mbconv.generators.engine.program import Program
from mbconv.generators.engine.program_file import stream_bytes, upload_bytes

from ..engine.pixel_beats import pixel_beats
from ..golden import model as golden
from ..simulation.packets import Frame
from .testbench import files_with


def engine_testbench(bundle: Bundle, program: Program, frames: Sequence[Frame]) -> dict[str, str]:
    """The files of the test bench, relative path → text.

    Args:
        bundle: of an engine, made with the program.
        frames: that the test sends back to back.
    """
    values = [golden.run(program.graph, frame) | dict(frame) for frame in frames]

    def packets(direction: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for frame in values:
            for port in (one for one in bundle.manifest["ports"] if one["direction"] == direction):
                beats = pixel_beats(frame[port["tensor"]], port["order"][2], port["data_bytes"])
                found.setdefault(port["name"], []).append(beats.tobytes().hex())
        return found

    vectors = {
        "program": upload_bytes(program).hex(),
        "weights": stream_bytes(program).hex(),
        "inputs": packets("input"),
        "outputs": packets("output"),
    }
    return files_with(
        bundle, vectors, {"drivers.py": "testbench_cocotb.py", "test_design.py": "testbench_engine_cocotb.py"}
    )
