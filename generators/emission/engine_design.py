"""An engine for a user's own chip: Verilog with AXI4-Stream edges, and what its user has to know as a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mbconv.hdl.axi_stream_input import COUNTER_BITS
from mbconv.hdl.engine.axi_stream_engine import (
    COUNTERS,
    EDGE_CYCLES,
    FRAMES,
    PROGRAM,
    RESULTS,
    WEIGHTS,
    AxiStreamEngine,
)
from mbconv.hdl.engine.engine import Engine
from mbconv.hdl.engine.parameters import VERSION as ENGINE_VERSION
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.hdl.engine.weight_port import PLACE_BITS, PLACE_BYTES
from mbconv.hdl.verilog import to_verilog

from ..engine.memory_timing import MemoryTiming
from ..engine.program import Program
from ..graph.graph import Tensor
from .bundle import Bundle, bundle_of
from .core_file import core_file
from .design_verilog import primitives_name, with_prefix
from .emit import Say, write_bundle
from .engine_summary import engine_summary
from .manifest import ENGINE_SCHEMA, ENGINE_VERSION_OF_SCHEMA, package_versions

NAME = "engine"
"""Of the top module, behind the prefix."""


def engine_bundle(
    parameters: EngineParameters,
    prefix: str = "",
    program: Program | None = None,
    timing: MemoryTiming | None = None,
) -> Bundle:
    """The Verilog of an engine and its manifest.

    Args:
        prefix: begins every module's name.
        program: of a network, for which the manifest has tensors and cycles; its engine has these parameters.
        timing: of the memory of weights that the cycles are counted for.
    """
    engine = AxiStreamEngine(Engine(parameters))
    top = f"{prefix}{NAME}"
    described = {
        "schema": ENGINE_SCHEMA,
        "version": ENGINE_VERSION_OF_SCHEMA,
        "versions": package_versions(),
        "engine": parameters.text,
        "engine_version": ENGINE_VERSION,
        "identity": parameters.identity,
        "prefix": prefix,
        "top": top,
        "verilog": [f"{top}.v", primitives_name(prefix)],
        "clock": "aclk",
        "reset": "aresetn (synchronous, active low)",
        "streams": _streams(parameters),
        "signals": _signals(parameters),
        "status": [{"name": name, "bits": COUNTER_BITS} for name in COUNTERS],
        "multipliers": engine.multipliers,
        "memory_bits": engine.memory_bits,
        "memory": _memory(parameters, timing),
        **_network(parameters, program),
    }
    return bundle_of(with_prefix(to_verilog(engine, top, prefix), prefix), described, prefix)


def emit_engine(
    bundle: Bundle,
    directory: Path,
    testbench: Mapping[str, str] | None = None,
    *,
    overwrite: bool = False,
    say: Say | None = None,
) -> dict[str, Any]:
    """Write an engine and return its manifest; see :func:`~.emit.emit`."""
    texts = {**bundle.verilog, **bundle.memory_files, **(testbench or {})}
    texts[f"{bundle.top}.core"] = core_file(bundle, sorted(testbench or {}))
    texts[f"{bundle.top}.md"] = engine_summary(bundle, testbench=bool(testbench))
    return write_bundle(bundle, directory, texts, overwrite=overwrite, say=say)


def _streams(parameters: EngineParameters) -> list[dict[str, Any]]:
    """AXI4-Streams, with what a packet of each is."""
    streams = [
        (FRAMES, "input", parameters.input_elements, ["tdata", "tkeep", "tlast", "tvalid", "tready"], "a tensor"),
        (RESULTS, "output", 1, ["tdata", "tkeep", "tlast", "tuser", "tvalid", "tready"], "a result"),
        (PROGRAM, "input", 1, ["tdata", "tkeep", "tlast", "tvalid", "tready"], "a network"),
    ]
    if parameters.port_bytes:
        streams.append((WEIGHTS, "input", parameters.port_bytes, ["tdata", "tvalid", "tready"], "weights, without end"))
    names = ("name", "direction", "data_bytes", "fields", "packet")
    return [dict(zip(names, stream, strict=True)) for stream in streams]


def _signals(parameters: EngineParameters) -> list[dict[str, Any]]:
    """Outputs that are no streams and no counters."""
    signals = [
        ("program_loaded", 1, "a network is loaded: frames are computed"),
        ("program_failed", 1, "the last packet was damaged, or of another engine: upload again"),
        ("program_number", 32, "the CRC-32 of the network that is loaded, its packet's last four bytes"),
    ]
    if parameters.port_bytes:
        signals.append(("weights_restart", 1, "for a cycle: in the next one no weights of before may be valid"))
    if parameters.overlaps:
        meaning = f"with weights_restart: the next beat's place, in {PLACE_BYTES} bytes from the first"
        signals.append(("weights_place", PLACE_BITS, meaning))
    return [{"name": name, "bits": bits, "meaning": meaning} for name, bits, meaning in signals]


def _memory(parameters: EngineParameters, timing: MemoryTiming | None) -> dict[str, Any] | None:
    """The memory of weights, and of what timing the cycles are."""
    if not parameters.port_bytes or timing is None:
        return None
    period = timing.period(parameters.port_bytes)
    return {
        "beat_bytes": parameters.port_bytes,
        "beat_cycles": [period.numerator, period.denominator],
        "latency_cycles": timing.latency,
    }


def _network(parameters: EngineParameters, program: Program | None) -> dict[str, Any]:
    """The tensors of the test bench's network in the order of their packets, and its cycles."""
    if program is None:
        return {"model": None, "ports": [], "interval_cycles": None, "latency_cycles": None, "measuring_frames": None}
    tensors = program.graph.tensors
    ports = [
        _port(tensors[index], direction, name, data_bytes)
        for direction, name, data_bytes, indices in (
            ("input", FRAMES, parameters.input_elements, program.inputs),
            ("output", RESULTS, 1, program.outputs),
        )
        for index in indices
    ]
    # Where frames overlap the last one is behind none: the interval is seen between the two before.
    frames = 4 if program.overlaps else 2
    return {
        "model": program.graph.name,
        "ports": ports,
        "interval_cycles": program.interval,
        "latency_cycles": program.cycles + EDGE_CYCLES,
        "measuring_frames": frames,
    }


def _port(tensor: Tensor, direction: str, name: str, data_bytes: int) -> dict[str, Any]:
    return {
        "name": name,
        "direction": direction,
        "tensor": tensor.index,
        "tensor_name": tensor.name,
        "order": [tensor.height, tensor.width, tensor.channels],
        "type": str(tensor.element),
        "scale": float(tensor.scale),
        "zero_point": tensor.zero_point,
        "data_bytes": data_bytes,
        "beats": tensor.pixels * -(-tensor.channels // data_bytes),
    }
