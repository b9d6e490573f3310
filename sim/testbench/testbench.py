"""The test bench that ``mbconv emit --testbench`` adds: a cocotb test, its vectors and a runner, none of which needs
mbconv."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mbconv.generators.emission.bundle import Bundle
from mbconv.generators.emission.read_bundle import manifest_name
from mbconv.generators.graph.graph import Graph

from ..simulation.axi_frames import packet
from ..simulation.description import Description
from ..simulation.packets import Frame, expected_outputs, input_raster

FOLDER = "testbench"


def testbench_files(bundle: Bundle, graph: Graph, frames: Sequence[Frame]) -> dict[str, str]:
    """The files of the test bench, relative path → text.

    Args:
        bundle: of the design, made from ``graph``.
        frames: that the test sends back to back; ``measuring_frames`` of the manifest says how many show the
            interval.
    """
    here = Path(__file__).parent
    description = Description.of(bundle.manifest)
    outputs = expected_outputs(description, graph, frames)
    vectors = {
        "inputs": {
            port.name: [packet(port, input_raster(port, frame)).hex() for frame in frames]
            for port in description.inputs
        },
        "outputs": {
            name: [packet(port, outputs[port.tensor][k]).hex() for k in range(len(frames)) for port in ports]
            for name, ports in description.packets.items()
        },
    }
    prefix = bundle.manifest["prefix"]
    folder, manifest = f"{prefix}{FOLDER}", manifest_name(prefix)

    def text(name: str) -> str:
        return (here / name).read_text(encoding="utf-8").replace('"manifest.json"', f'"{manifest}"')

    return {
        f"{folder}/test_design.py": text("testbench_cocotb.py"),
        f"{folder}/run.py": text("testbench_run.py"),
        f"{folder}/vectors.json": json.dumps(vectors, indent=1) + "\n",
    }
