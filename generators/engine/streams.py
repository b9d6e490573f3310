"""What the memory behind an engine's port holds: the weights of each part of a program, in the order of their use."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.hdl.engine.weight_port import CHECK_BYTES, COUNT_BYTES, PLACE_BYTES, TILE_WORDS

from ..constants.weights import pack_words
from ..planning.folding import ceil_div
from .overlap import Part

_ALIGNED = 32
"""Bytes: a part begins where a memory's burst does."""


def stream_places(parameters: EngineParameters, streams: Mapping[Part, np.ndarray]) -> dict[Part, int]:
    """Where the weights of each part begin, in units of 4 bytes."""
    found, place = {}, 0
    for part, words in streams.items():
        found[part] = place // PLACE_BYTES
        size = COUNT_BYTES + len(words) * parameters.word_beats * parameters.port_bytes if parameters.port_bytes else 0
        place += ceil_div(size + ceil_div(len(words), TILE_WORDS) * CHECK_BYTES, _ALIGNED) * _ALIGNED
    return found


def memory_bytes(parameters: EngineParameters, streams: Mapping[Part, np.ndarray], number: int) -> bytes:
    """What the memory holds (:mod:`mbconv.hdl.engine.weight_port`) for the program of this number; nothing where no
    weights come from it."""
    found = bytearray()
    if not any(len(words) for words in streams.values()):
        return b""
    size = parameters.word_beats * parameters.port_bytes
    for part, place in stream_places(parameters, streams).items():
        found += bytes(place * PLACE_BYTES - len(found))
        words = pack_words(streams[part], parameters.weight_bits) if len(streams[part]) else []
        found += len(words).to_bytes(COUNT_BYTES, "little")
        for first in range(0, len(words), TILE_WORDS):
            tile = b"".join(word.to_bytes(size, "little") for word in words[first : first + TILE_WORDS])
            found += tile + (zlib.crc32(tile) ^ number).to_bytes(CHECK_BYTES, "little")
    return bytes(found)
