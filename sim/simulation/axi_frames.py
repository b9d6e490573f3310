"""Frames as the beats of an AXI4-Stream, and back."""

from __future__ import annotations

import numpy as np

from .description import PortDescription


def packet(port: PortDescription, elements: np.ndarray) -> bytes:
    """A frame's packet: one byte an element, or two (little endian), in NHWC order without padding."""
    return elements.reshape(-1).astype(np.int64).astype(f"<i{port.element_bytes}").tobytes()


def frame_payloads(port: PortDescription, frame: np.ndarray) -> list[int]:
    """A frame's beats as integers: from the lowest bit TDATA, TKEEP, TLAST."""
    octets, width = packet(port, frame), port.data_bytes
    payloads = []
    for start in range(0, len(octets), width):
        beat = octets[start : start + width]
        last = start + width >= len(octets)
        payloads.append(
            int.from_bytes(beat, "little") | ((1 << len(beat)) - 1) << (8 * width) | int(last) << (9 * width)
        )
    return payloads


def read_frames(port: PortDescription, words: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The elements ``[frames, pixels, channels]`` of an output's beats and what is wrong with TKEEP, TLAST or TUSER.

    Args:
        words: ``uint32 [beats, words]``: from the lowest bit TDATA, TKEEP, TLAST, TUSER; whole frames.
    """
    width, beats = port.data_bytes, port.beats
    bits = np.unpackbits(np.ascontiguousarray(words, "<u4").view(np.uint8), axis=1, bitorder="little")
    frames = len(words) // beats
    data = np.packbits(bits[:, : 8 * width], axis=1, bitorder="little").reshape(frames, -1)
    size = port.pixels * port.channels * port.element_bytes
    marks = bits[:, 8 * width : 9 * width + 2].reshape(frames, beats, -1)
    wanted = np.ones((beats, width + 2), np.uint8)
    wanted[-1, :width] = np.arange((beats - 1) * width, beats * width) < size
    wanted[:-1, width] = 0
    wanted[:, width + 1] = 0
    problems = []
    for name, columns in (("TKEEP", slice(0, width)), ("TLAST", [width]), ("TUSER", [width + 1])):
        wrong = np.argwhere((marks[:, :, columns] != wanted[None, :, columns]).any(axis=2))
        if len(wrong):
            problems.append(f"{name} of {port.name} is wrong at beat {wrong[0][1]} of frame {wrong[0][0]}")
    kind = f"<{'i' if port.signed else 'u'}{port.element_bytes}"
    elements = np.ascontiguousarray(data[:, :size]).view(kind)
    return elements.reshape(frames, port.pixels, port.channels).astype(np.int64), problems
