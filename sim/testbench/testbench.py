"""The test bench that ``mbconv emit --testbench`` adds: a cocotb test, its vectors and a runner, none of which needs
mbconv."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
    return files_with(bundle, vectors, {"test_design.py": "testbench_cocotb.py"})


def files_with(bundle: Bundle, vectors: Mapping[str, Any], programs: Mapping[str, str]) -> dict[str, str]:
    """The folder of a bundle's test bench: vectors, ``run.py``, and the Python files, name there → name here."""
    here, prefix = Path(__file__).parent, bundle.manifest["prefix"]
    folder, manifest = f"{prefix}{FOLDER}", manifest_name(prefix)
    texts = {
        name: (here / source).read_text(encoding="utf-8").replace('"manifest.json"', f'"{manifest}"')
        for name, source in (*programs.items(), ("run.py", "testbench_run.py"))
    }
    texts["vectors.json"] = json.dumps(vectors, indent=1) + "\n"
    return {f"{folder}/{name}": text for name, text in texts.items()}
