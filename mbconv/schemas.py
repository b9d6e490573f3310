"""What every command's ``--json`` prints, as JSON Schema; ``mbconv schema COMMAND`` prints one.

Every object carries ``schema`` and ``version``. Entries may be added within a version; one that is removed or changes
its meaning raises it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Spec = str | dict[str, Any] | list[Any]
"""A type's name (``int``, ``num``, ``str``, ``bool``, ``any``; with ``?`` it may be null; an entry whose name ends with
``?`` may be missing), an object's entries, ``{"*": spec}`` for an object of any names, or ``[spec]`` for a list."""

_TYPES = {"int": "integer", "num": "number", "str": "string", "bool": "boolean", "obj": "object"}

_RESULT: dict[str, Any] = {
    "mismatches": "int", "elements": "int", "frames": "int", "interval_cycles": "int?", "latency_cycles": "int",
    "cycles": "int", "seconds": "num", "first_mismatch": "str?",
    "streams": [{"stage": "str", "tensor": "int", "beats": "int", "mismatches": "int", "stalled": ["int"],
                 "starved": ["int"]}],
    "predicted_interval_cycles": "int", "predicted_latency_cycles": "int", "multipliers": "int", "budget": "int",
    "macs": "int", "mac_efficiency": "num?", "mac_efficiency_used": "num?",
}  # fmt: skip
_RATE = {"clock_mhz?": "num", "frames_per_second?": "num", "latency_ms?": "num"}
_PROGRAM = {
    "model": "str", "engine": "str", "multipliers": "int", "cycles": "int", "interval_cycles": "int", "macs": "int",
    "share_of_peak": "num", "uses": {"*": "int"},
    "layers": [{"name": "str", "late": "bool", "instructions": "int", "cycles": "int", "waiting_cycles": "int",
                "macs": "int", "share_of_peak": "num", "weight_bytes": "int", "fetched_bytes": "int", "bound": "str"}],
}  # fmt: skip
_KEPT = {**_RESULT, "ok": "bool", "kept": "bool"}
_TENSOR = {"tensor": "int", "name": "str", "shape": ["int"], "type": "str", "scale": "num", "zero_point": "int"}
_FOLDING = {"inputs": "int", "outputs": "int", "pixels?": "int"}
_STREAM = {"order": ["int"], "type": "str", "bits": "int", "signed": "bool", "beats": "int"}

_SPECS: dict[str, dict[str, Any]] = {
    "info": {
        "model": "str", "inputs": [_TENSOR], "outputs": [_TENSOR],
        "operators": [{"index": "int", "kind": "str", "inputs": [["int"]], "outputs": [["int"]], "kernel": ["int"],
                       "strides": ["int"], "macs": "int", "parameters": "int", "line_buffer_bytes": "int",
                       "residual_delay_bytes": "int"}],
        "without_circuit": ["str"],
        "totals": {"operators": "int", "macs": "int", "parameters": "int", "line_buffer_bytes": "int",
                   "residual_delay_bytes": "int"},
    },
    "predict": {
        "model": "str", "input": "str", "saved": "str?",
        "boxes": [{"class": "int", "label": "str?", "score": "num", "top": "num", "left": "num", "bottom": "num",
                   "right": "num"}],
        "outputs": [{"tensor": "int", "name": "str", "shape": ["int"],
                     "top": [{"class": "int", "label": "str?", "integer": "int?", "score": "num"}]}],
    },
    "evaluate": {
        "model": "str", "pictures": "int", "top1": "num", "reference_top1": "num?", "mismatches": "int?",
        "background": "bool",
        "kernels": [{"kernels": "str", "pictures": "int", "differ": "int", "largest": "num", "other_class": "int"}],
    },
    "evaluate-boxes": {
        "model": "str", "pictures": "int", "boxes": "int", "average_precision": {"*": "num"}, "mean": "num",
        "reference": "obj?", "reference_mean": "num?", "mismatches": "int?",
    },
    "golden": {
        "models": [{"model": "str", "frames": "int", "tensors": "int", "elements": "int", "differing": "int",
                    "first": "str?", "refused": "str?"}],
        "elements": "int", "differing": "int",
    },
    "plan": {
        "model": "str", "target": "str", "interval_cycles": "int", "latency_cycles": "int", "multipliers": "int",
        "budget": "int?", "macs": "int", "mac_efficiency": "num", "mac_efficiency_used": "num", "memory_bits": "int",
        "bottleneck": ["str"], "luts_estimated": "int?", **_RATE,
        "engine?": {"engine": "str", "reason": "str", "interval_cycles?": "int", "latency_cycles?": "int", **_RATE},
        "stages": [{"name": "str", "operator": "int", "kind": "str", "folding": "obj?", "lanes_in": "int",
                    "lanes_out": "int", "cycles": "int", "multipliers": "int", "macs": "int", "utilisation": "num?",
                    "memory_bits": "int?"}],
        "losses": [{"stage": "str?", "reason": "str", "slots": "int", "share": "num"}],
    },
    "manifest": {
        "versions": {"*": "str?"}, "model": "str", "source": "obj?", "operators": ["int"], "prefix": "str",
        "top": "str", "verilog": ["str"], "memory_files": ["str"], "clock": "str", "reset": "str",
        "ports": [{**_TENSOR, **_STREAM, "direction": "str", "permutation": "any", "element_bytes": "int",
                   "tensor_name": "str", "data_bytes": "int", "name": "str", "queue_beats?": "int"}],
        "drain": {"order": ["int"], "merged": "bool", "interval_cycles": "int", "latency_cycles": "int"},
        "status": [{"name": "str", "bits": "int"}],
        "streams": [{**_STREAM, "tensor": "int", "stage": "str", "place": "str", "lanes": "int"}],
        "interval_cycles": "int", "latency_cycles": "int", "measuring_frames": "int", "multipliers": "int",
        "budget": "int", "macs": "int", "mac_efficiency": "num?", "mac_efficiency_used": "num?", "memory_bits": "int",
        "stages": [{"name": "str", "operator": "int", "kind": "str", "inputs": ["int"], "output": "int",
                    "lanes_in": ["int"], "lanes_out": "int", "cycles": "int", "multipliers": "int",
                    "memory_bits": "int", "folding?": _FOLDING, "window_pixels?": "int", "requantization?": "obj",
                    "dsp?": {"products": "int", "requantization": "int"}}],
        "queues": [{"tensor": "int", "reader": "str", "beats": "int", "lanes": "int", "reason": "str"}],
        "device?": "str?", "host": [{"operator": "int", "kind": "str"}], "plan": "obj", "parameters": {"*": "str"},
        "memories": [{"kind": "str", "width": "int", "depth": "int", "file?": "str"}],
        "files": {"*": "str"}, "seal": "str",
    },
    "emit-engine": {
        "versions": {"*": "str?"}, "engine": "str", "engine_version": "int", "identity": "int", "prefix": "str",
        "top": "str", "verilog": ["str"], "memory_files": ["str"], "clock": "str", "reset": "str",
        "streams": [{"name": "str", "direction": "str", "data_bytes": "int", "fields": ["str"], "packet": "str"}],
        "signals": [{"name": "str", "bits": "int", "meaning": "str"}], "status": [{"name": "str", "bits": "int"}],
        "multipliers": "int", "memory_bits": "int", "memory": "obj?", "model": "str?",
        "ports": [{"name": "str", "direction": "str", "tensor": "int", "tensor_name": "str", "order": ["int"],
                   "type": "str", "scale": "num", "zero_point": "int", "data_bytes": "int", "beats": "int"}],
        "interval_cycles": "int?", "latency_cycles": "int?", "measuring_frames": "int?", "parameters": {"*": "str"},
        "memories": [{"kind": "str", "width": "int", "depth": "int", "file?": "str"}],
        "files": {"*": "str"}, "seal": "str",
    },
    "sim": {
        **_RESULT, **_RATE,
        "classified": [{"image": "str", "class": "int", "label": "str?", "score": "num?"}],
    },
    "sim-engine": {
        "model": "str", "frames": "int", "ok": "bool", "values": "int", "mismatches": "int", "predicted_cycles": "int",
        "predicted_interval_cycles": "int", "measured_interval_cycles": ["int"], **_RATE,
        "layers": [{"name": "str", "two_frames": "bool", "tensor": "int", "values": "int", "mismatches": "int",
                    "first_mismatch": "str?",
                    "predicted_cycles": "int", "measured_cycles": ["int"]}],
    },
    "plan-engine": {**_PROGRAM, **_RATE},
    "compile": {**_PROGRAM, "file": "str", "bytes": "int"},
    "build": {
        "model": "str", "interval_cycles": "int", "latency_cycles": "int", "device": "str", "package": "str",
        "target_mhz": "num", "fmax_mhz": "num", "seed": "int", "seeds": {"*": "num"}, "available": {"*": "int"},
        "nextpnr_options": ["str"],
        "mac_multipliers": "int", "mac_multipliers_in_dsp": "int", "tools": {"*": "str"}, "netlist": "obj?",
        "floorplan": "str", "board?": "str", "clock_mhz?": "num", "baud?": "num", "bitstream?": "str",
        "critical_path": {"from": "str", "to": "str", "delay_ns": "num", "steps": [["any"]]},
    },
    "build-engine": {
        "engine": "str", "identity": "int", "board": "str", "clock_mhz": "num", "baud": "num", "bitstream": "str",
        "device": "str", "package": "str", "target_mhz": "num", "fmax_mhz": "num", "seed": "int", "seeds": {"*": "num"},
        "available": {"*": "int"}, "mac_multipliers": "int", "mac_multipliers_in_dsp": "int", "tools": {"*": "str"},
        "nextpnr_options": ["str"], "netlist": "obj?", "floorplan": "str",
        "critical_path": {"from": "str", "to": "str", "delay_ns": "num", "steps": [["any"]]},
    },
    "verify": {"model": "str", "ok": "bool", "blocks": [{**_KEPT, "layers": ["int"]}]},
    "bench": {
        "networks": [{**_KEPT, "network": "str", "line_buffer_bytes": "int", "residual_delay_bytes": "int",
                      "memory_bits": "int", "emission_seconds": "num"}],
    },
    "demo": {
        "digit": "int", "picture": "str", "class": "int", "score": "num", "layers": ["int"], "directory": "str",
        "block": _RESULT, "network": _RESULT,
    },
    "measure": {
        "simulated": "bool", "frames": "int", "seed": "int", "cycles": "int", "interval": "int?", "signature": "int",
        "expected_signature": "int?", "predicted_latency": "int", "predicted_interval": "int", "clock": "int",
        "frames_per_second": "num", "as_predicted": "bool", "exact": "bool?",
    },
    "selftest": {
        "ok": "bool", "simulated": "bool", "name": "str", "model": "str", "plan": "str", "multipliers": "int",
        "clock": "int", "baud": "int", "checks": [{"name": "str", "ok": "bool", "found": "str"}],
    },
    "models": {
        "models": [{"name": "str", "description": "str", "input": ["int"], "parameters": "int", "macs": "int",
                    "bytes": "int", "accuracy": "num", "accuracy_of": "str", "recipe": "str", "document": "str"}],
    },
    "boards": {
        "boards": [{"name": "str", "title": "str", "device": "str", "package": "str", "multipliers": "int",
                    "block_ram": "int", "block_ram_kind": "str", "lut": "int", "clock_mhz": "num", "clock_pin": "str",
                    "uart": "obj?", "platform": "str?", "checked": "obj?"}],
    },
    "doctor": {
        "mbconv": "str", "ready": "bool", "summary": "str",
        "tools": [{"name": "str", "part": "str", "version": "str?", "remedy": "str?", "wanted": "str?",
                   "needed": "bool"}],
    },
    "cache": {
        "folder": "str", "cleared": "bool", "in_use": "int",
        "parts": [{"name": "str", "folders": "int", "bytes": "int"}],
    },
}  # fmt: skip

_VERSIONS = {"manifest": 2}
_NULLABLE_LISTS = {("info", "kernel"), ("info", "strides"), ("predict", "boxes")}

NAMES = tuple(_SPECS)
"""Everything that has a schema: the commands, and the manifest that ``mbconv emit`` writes and prints."""


def marked(command: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """A command's answer with its schema's name and version in front."""
    if "schema" in value:  # the manifest has its own
        return dict(value)
    return {"schema": f"mbconv {command}", "version": _VERSIONS.get(command, 1), **value}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a command's output, or of the ``manifest``.

    Raises:
        KeyError: there is none of that name.
    """
    entries = {"schema": {"const": f"mbconv {name}"}, "version": {"const": _VERSIONS.get(name, 1)}}
    found = _object(name, _SPECS[name])
    found["properties"] = entries | found["properties"]
    found["required"] = [*entries, *found["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"mbconv {name}", **found}


def _object(name: str, entries: dict[str, Any]) -> dict[str, Any]:
    properties = {}
    for key, spec in entries.items():
        found = _schema(name, spec)
        if (name, key) in _NULLABLE_LISTS:
            found = {"anyOf": [found, {"type": "null"}]}
        properties[key.removesuffix("?")] = found
    required = [key for key in entries if not key.endswith("?")]
    return {"type": "object", "properties": properties, "required": required}


def _schema(name: str, spec: Spec) -> dict[str, Any]:
    if isinstance(spec, list):
        return {"type": "array", "items": _schema(name, spec[0])}
    if isinstance(spec, dict):
        if "*" in spec:
            return {"type": "object", "additionalProperties": _schema(name, spec["*"])}
        return _object(name, spec)
    if spec == "any":
        return {}
    kind = _TYPES[spec.removesuffix("?")]
    return {"type": [kind, "null"]} if spec.endswith("?") else {"type": kind}
