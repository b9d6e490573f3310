"""A page about an emitted engine, beside its Verilog: how it is connected, how a network comes into it."""

from __future__ import annotations

from typing import Any

from .bundle import Bundle
from .summary import instantiation


def engine_summary(bundle: Bundle, *, testbench: bool) -> str:
    """The page, in Markdown."""
    described, top = bundle.manifest, bundle.top
    prefix, text = described["prefix"], described["engine"]
    lines = [
        f"# {top}",
        "",
        f"An engine of {described['multipliers']:,} multipliers that computes any network that fits it, written by "
        f"mbconv {described['versions']['mbconv']}. `{prefix}manifest.json` has all of this for programs.",
        "",
        "| | |",
        "|---|---|",
        f"| parameters | `{text}` |",
        f"| memory | {described['memory_bits'] // 8:,} bytes: maps, weights, constants, tables, instructions |",
        "",
        "Clock `aclk`; reset `aresetn`, synchronous and active low; a network stays loaded.",
        "",
        "| stream | direction | TDATA | a packet is |",
        "|---|---|---|---|",
        *(f"| `{one['name']}` | {one['direction']} | {one['data_bytes']} bytes | {one['packet']} |"
          for one in described["streams"]),
        "",
        "| output | bits | |",
        "|---|---|---|",
        *(f"| `{one['name']}` | {one['bits']} | {one['meaning']} |" for one in described["signals"]),
        *(f"| `{one['name']}` | {one['bits']} | packets since reset |" for one in described["status"]),
        "",
        "## A network",
        "",
        f"    mbconv compile MODEL --engine {text} -o network.bin",
        "",
        "The file begins with a line of JSON: tensors with scales and zero points, cycles, and `bytes`, of the packet "
        "for `s_axis_program` behind the line. It is taken between two frames; then `program_loaded` is high, or "
        "`program_failed`.",
        "",
        *_weights(described),
        "## Frames",
        "",
        "The network's inputs, one packet each, in the order of the file's `inputs`: rows, then pixels, then channels, "
        f"one byte an element, {_beats(described)}. Results come likewise, in the order of `outputs`, a byte a beat. "
        "TUSER with the last byte marks what is wrong: a packet was too short or too long, or weights were damaged or "
        "another network's.",
        "",
        *_network(described),
        "```verilog",
        *instantiation(bundle, _ports(described)),
        "```",
        "",
        "| command | what it does |",
        "|---|---|",
        f"| `verilator --lint-only --top-module {top} {' '.join(bundle.verilog)}` | lint |",
        f"| `fusesoc --cores-root . run --target=lint ::{top}:0` | the same through FuseSoC |",
    ]  # fmt: skip
    if testbench:
        lines.append(f"| `python {prefix}testbench/run.py` | the cocotb test bench, without mbconv |")
    return "\n".join(lines) + "\n"


def _beats(described: dict[str, Any]) -> str:
    size = described["streams"][0]["data_bytes"]
    return "a byte a beat" if size == 1 else f"{size} bytes a beat, the first one lowest, each pixel from a beat on"


def _weights(described: dict[str, Any]) -> list[str]:
    stream = next((one for one in described["streams"] if one["name"] == "s_axis_weights"), None)
    if stream is None:
        return []
    place = ", from `weights_place` on" if any(one["name"] == "weights_place" for one in described["signals"]) else ""
    return [
        f"What lies behind the packet (`memory_bytes` of them) belongs into a memory. `weights_restart` is high for a "
        f"cycle: then `s_axis_weights` brings it{place or ' from its first byte on'}, {stream['data_bytes']} bytes a "
        "beat, the lowest first, in order. TREADY falls when the engine has what it can hold, and for good behind the "
        "last byte that it needs.",
        "",
    ]


def _network(described: dict[str, Any]) -> list[str]:
    if described["model"] is None:
        return []
    return [
        f"{described['model']} takes {described['latency_cycles']:,} cycles from a lone frame's first beat to its last "
        f"result, and a frame every {described['interval_cycles']:,}.",
        "",
    ]


def _ports(described: dict[str, Any]) -> list[str]:
    """All ports, in the order of the page."""
    streams = [f"{one['name']}_{field}" for one in described["streams"] for field in one["fields"]]
    return ["aclk", "aresetn", *streams, *(one["name"] for one in (*described["signals"], *described["status"]))]
