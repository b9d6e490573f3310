"""A page about an emitted design, beside its Verilog: what it is, how it is connected, what to run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mbconv.hdl.memory_directory import MEMORY_DIRECTORY

from .bundle import Bundle


def summary(bundle: Bundle, *, testbench: bool) -> str:
    """The page, in Markdown."""
    described, top = bundle.manifest, bundle.top
    prefix = described["prefix"]
    lines = [
        f"# {top}",
        "",
        f"The network {described['model']} as a streaming circuit, written by mbconv "
        f"{described['versions']['mbconv']}. `{prefix}manifest.json` has all of this for programs.",
        "",
        "| | |",
        "|---|---|",
        f"| interval | {described['interval_cycles']:,} cycles from frame to frame |",
        f"| latency | {described['latency_cycles']:,} cycles from a frame's first input beat to its last output beat |",
        f"| multipliers | {described['multipliers']:,} |",
        f"| MACs a frame | {described['macs']:,} |",
        f"| memory | {described['memory_bits'] // 8:,} bytes: weights, windows, queues |",
        "",
        f"Clock `aclk`; reset `aresetn`, synchronous and active low. {_status(described)}",
        "",
        "| port | direction | tensor | rows × columns × channels | type | real value | TDATA | beats a frame |",
        "|---|---|---|---|---|---|---|---|",
        *map(_port, described["ports"]),
        "",
        "One frame is one packet: rows, then pixels, then channels, lowest byte first. An output's TUSER marks a frame "
        "whose input packet was too short or too long.",
        "",
        *_turns(described),
        "```verilog",
        *_instance(bundle),
        "```",
        "",
    ]
    if described["host"]:
        kinds = ", ".join(f"{op['kind']} ({op['operator']})" for op in described["host"])
        lines += [f"Left to the host, after the outputs: {kinds}.", ""]
    if bundle.memory_files:
        lines += [
            f"`{MEMORY_DIRECTORY}` is the folder of the `.hex` files and ends with a slash; by default the folder in "
            "which the tool runs.",
            "",
        ]
    lines += [
        "| command | what it does |",
        "|---|---|",
        f"| `verilator --lint-only --top-module {top} {' '.join(bundle.verilog)}` | lint |",
        f"| `fusesoc --cores-root . run --target=lint ::{top}:0` | the same through FuseSoC |",
        "| `mbconv sim .` | these files against the golden model |",
    ]
    if testbench:
        lines.append(f"| `python {prefix}testbench/run.py` | the cocotb test bench, without mbconv |")
    return "\n".join(lines) + "\n"


def _status(described: dict[str, Any]) -> str:
    names = " and ".join(f"`{port['name']}`" for port in described["status"])
    return f"{names} count bad packets since reset."


def _turns(described: dict[str, Any]) -> list[str]:
    """How several outputs are drained."""
    drain = described["drain"]
    if len(drain["order"]) == 1:
        return []
    order = ", ".join(map(str, drain["order"]))
    if drain["merged"]:
        return [f"The packets of a frame follow each other, those of tensors {order} in turn.", ""]
    depths = ", ".join(
        f"{port['queue_beats']:,} at `{port['name']}`" for port in described["ports"] if "queue_beats" in port
    )
    return [
        f"The outputs may be drained all at once, or one after the other, a packet of tensors {order} in turn: beats "
        f"that wait meanwhile have room, {depths}.",
        "",
    ]


def _port(port: dict[str, Any]) -> str:
    order = " × ".join(map(str, port["order"]))
    zero, scale = port["zero_point"], f"{port['scale']:.6g}"
    value = f"(q {'−' if zero > 0 else '+'} {abs(zero)}) × {scale}" if zero else f"q × {scale}"
    return (
        f"| `{port['name']}` | {port['direction']} | {port['tensor']} | {order} | {port['type']} | {value} | "
        f"{port['data_bytes']} bytes | {port['beats']:,} |"
    )


def _instance(bundle: Bundle) -> list[str]:
    """An instantiation to copy."""
    described = bundle.manifest
    ports = ["aclk", "aresetn"]
    for name, direction in {port["name"]: port["direction"] for port in described["ports"]}.items():
        fields = ["tdata", "tkeep", "tlast", *(["tuser"] if direction == "output" else []), "tvalid", "tready"]
        ports += [f"{name}_{field}" for field in fields]
    return instantiation(bundle, [*ports, *(port["name"] for port in described["status"])])


def instantiation(bundle: Bundle, ports: Sequence[str]) -> list[str]:
    """An instance of a bundle's top, each of its ports connected to a signal of the same name."""
    width = max(map(len, ports))
    parameter = f' #(.{MEMORY_DIRECTORY}("./"))' if bundle.memory_files else ""
    body = [f"    .{port:<{width}} ({port})" for port in ports]
    return [f"{bundle.top}{parameter} accelerator (", ",\n".join(body), ");"]
