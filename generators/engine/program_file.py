"""Programs as bytes: the packet that an engine takes, and the file that holds it."""

from __future__ import annotations

import json
import zlib
from typing import Any

from mbconv.hdl.engine.instruction import pack_instruction
from mbconv.hdl.engine.parameters import VERSION
from mbconv.hdl.engine.upload import END, MAGIC, Section, section_bits
from mbconv.hdl.engine.weight_port import CHECK_BYTES

from ..constants.weights import pack_records, pack_words
from .compile import Program, constant_slices
from .streams import memory_bytes

FILE_FORMAT = "mbconv engine program"
FILE_MARK = f'"{FILE_FORMAT}"'.encode()
"""What the beginning of every such file has in it."""


def section_words(program: Program) -> dict[Section, list[int]]:
    """The words of every memory, from its first on; constants of engines with a port in words of weights, which are
    written behind them."""
    p = program.parameters
    constants = pack_records(program.constants, p.channel_bits, p.requantizers)
    if p.port_bytes:
        constants = [piece for word in constants for piece in constant_slices(p, word)]
    mask = (1 << p.table_bits) - 1
    sides = [[entry & mask for pair in program.tables for entry in pair[side]] for side in (0, 1)]
    return {
        Section.PROGRAM: [word for one in program.instructions for word in pack_instruction(p, one.values)],
        Section.CONSTANTS: constants,
        Section.WEIGHTS: pack_words(program.weights, p.weight_bits) if len(program.weights) else [],
        Section.FIRST_TABLES: sides[0],
        Section.SECOND_TABLES: sides[1],
    }


def upload_bytes(program: Program) -> bytes:
    """The packet of :class:`~mbconv.hdl.engine.upload.Upload`."""
    bits = section_bits(program.parameters)
    packet = bytearray(MAGIC + program.parameters.identity.to_bytes(4, "little"))
    for section, words in section_words(program).items():
        if words:
            size = -(-bits[section] // 8)
            packet += bytes([section]) + (len(words) - 1).to_bytes(3, "little")
            packet += b"".join(word.to_bytes(size, "little") for word in words)
    packet.append(END)
    return bytes(packet + zlib.crc32(packet).to_bytes(4, "little"))


def program_number(packet: bytes) -> int:
    """The check of a packet, by which an engine knows the program."""
    return int.from_bytes(packet[-CHECK_BYTES:], "little")


def stream_bytes(program: Program) -> bytes:
    """What the memory behind the engine's port holds (:mod:`mbconv.hdl.engine.weight_port`); nothing without one."""
    return memory_bytes(program.parameters, program.streams, program_number(upload_bytes(program)))


def file_bytes(program: Program) -> bytes:
    """A program's file: a line of JSON that says what it is for, the packet, what the memory outside holds."""
    packet, stream = upload_bytes(program), stream_bytes(program)

    def port(tensor: int) -> dict[str, Any]:
        found = program.graph.tensors[tensor]
        return {
            "tensor": tensor,
            "shape": list(found.shape),
            "element": str(found.element),
            "scale": found.scale,
            "zero_point": found.zero_point,
        }

    header = {
        "format": FILE_FORMAT,
        "version": VERSION,
        "model": program.graph.name,
        "parameters": program.parameters.text,
        "identity": program.parameters.identity,
        "bytes": len(packet),
        "crc32": zlib.crc32(packet),
        "memory_bytes": len(stream),
        "memory_crc32": zlib.crc32(stream),
        "cycles": program.cycles,
        "interval": program.interval,
        "inputs": [port(tensor) for tensor in program.inputs],
        "outputs": [port(tensor) for tensor in program.outputs],
        "uses": program.memories,
    }
    return json.dumps(header).encode() + b"\n" + packet + stream
