"""The test bench that ``mbconv emit --testbench`` adds: a cocotb test, its vectors and a runner, none of which needs
mbconv."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mbconv.generators.emission.design import Design

from ..simulation.axi_frames import packet
from ..simulation.packets import Frame, expected_outputs, input_raster

FOLDER = "testbench"


def testbench_files(design: Design, frames: Sequence[Frame]) -> dict[str, str]:
    """The files of the test bench, relative path → text.

    Args:
        frames: that the test sends back to back; :func:`mbconv.frames.measuring_frames` says how many show the
            interval.
    """
    here = Path(__file__).parent
    outputs = expected_outputs(design, frames)
    vectors = {
        "inputs": {
            edge.name: [packet(edge, input_raster(design, port, frame)).hex() for frame in frames]
            for port, edge in design.inputs.items()
        },
        "outputs": {
            edge.name: [packet(edge, elements).hex() for elements in outputs[port]]
            for port, edge in design.outputs.items()
        },
    }
    return {
        f"{FOLDER}/test_design.py": (here / "testbench_cocotb.py").read_text(encoding="utf-8"),
        f"{FOLDER}/run.py": (here / "testbench_run.py").read_text(encoding="utf-8"),
        f"{FOLDER}/vectors.json": json.dumps(vectors, indent=1) + "\n",
    }
