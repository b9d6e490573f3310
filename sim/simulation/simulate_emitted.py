"""The Verilog of an emitted folder, as it lies there, against the golden model.

Inside foreign Verilog no stream can be watched: the outputs alone are compared, and the cycles measured.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mbconv.generators.emission.design import Design
from mbconv.generators.graph.graph import GraphError

from .packets import Frame, design_source, expected_outputs, input_payloads, output_beats, patience_of
from .run_design import DesignSource, Progress, run_design
from .simulation_result import SimulationResult, checked_outputs, make_result


def emitted_source(design: Design, directory: Path, manifest: Mapping[str, Any]) -> DesignSource:
    """The files of an emitted folder, ready to be simulated.

    Raises:
        GraphError: a file that the manifest names is missing or no text.
    """
    return design_source(
        design,
        {name: _text(directory, name) for name in manifest["verilog"]},
        {name: _text(directory, name) for name in manifest["memory_files"]},
        manifest["top"],
    )


def _text(directory: Path, name: str) -> str:
    if Path(name).name != name:
        raise GraphError(f"the manifest of {directory} names a file outside it, {name!r}: emit again")
    try:
        return (directory / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise GraphError(f"{directory / name}, which the manifest names, is missing: emit again") from None
    except UnicodeDecodeError:
        raise GraphError(f"{directory / name} is no text: emit again") from None


def simulate_source(
    design: Design,
    source: DesignSource,
    frames: Sequence[Frame],
    *,
    waves: Path | None = None,
    progress: Progress | None = None,
) -> SimulationResult:
    """Simulate Verilog that claims to be a design, frames back to back without stalls, and compare its outputs.

    Raises:
        GraphError: the outputs stopped, or their marks are wrong.
        SimulatorError: the simulator is missing, refuses the Verilog, or failed.
    """
    started = time.monotonic()
    record = run_design(
        source,
        input_payloads(design, frames),
        output_beats(design, len(frames)),
        len(frames),
        patience=patience_of(design),
        waves=waves,
        progress=progress,
    )
    outputs = checked_outputs(design, record, len(frames))
    expected = {int(port[1:]): elements for port, elements in expected_outputs(design, frames).items()}
    comparisons = [(tensor, outputs[tensor], expected[tensor]) for tensor in outputs]
    return make_result(design, record, len(frames), outputs, comparisons, started)
