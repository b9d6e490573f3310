"""How an engine reads weights from a memory outside: in the order in which they are used, from the first on."""

from __future__ import annotations

from amaranth.hdl import unsigned
from amaranth.lib.stream import Signature as StreamSignature
from amaranth.lib.wiring import In, Out, Signature

TILE_WORDS = 64
"""Words of weights behind which a CRC-32 of their beats stands; the last tile of a frame may be shorter."""

COUNT_BYTES = 4
"""Bytes before the first tile: how many words of weights follow, the lowest byte first."""

CHECK_BYTES = 4
"""Bytes of a check, the lowest first: of the tile's CRC-32, each of its bits the other one where the program's number
has a 1. So words of another program are found."""


PLACE_BYTES = 4
"""The unit of a place in the memory."""

PLACE_BITS = 24
"""Of a place."""


def weight_port(port_bytes: int, *, places: bool = False) -> Signature:
    """The port of an engine towards a memory controller.

    The memory holds, from the address that the controller knows as the network's first::

        number of words (4 bytes) | up to 64 words, CRC-32 ^ number (4 bytes) | up to 64 words, CRC-32 ^ number | …

    lowest bytes first; every word begins with a new beat and fills its last one up with zeros. The engine reads all of
    it once a frame, and nothing in another order: one counter of addresses is the whole of a controller's.

    Engines with ``overlaps`` have one such sequence for a frame's first layers, one for its last ones, and one for both
    at once, each read from a place of its own on.

    Members:
        restart: ``Out(1)``, high for one cycle at a frame's beginning: the next beat that is taken is the memory's
            first again. What is under way from before is dropped; in the cycle after ``restart`` no beat of before may
            be valid.
        place: ``Out``, with ``restart``, where the engine has ``overlaps``: where the next beat lies instead, in units
            of 4 bytes from the network's first.
        words: ``In(stream.Signature(unsigned(8 · port_bytes)))``, beats in order, the lowest byte first. ``ready`` may
            fall for thousands of cycles, when the engine's buffer is full, and falls for good behind the last
            check, or a wrong one: what a controller has read beyond that is dropped at the next ``restart``.

    Args:
        port_bytes: of a beat: 1, 2 or 4.
        places: whether there is a ``place``.
    """
    if port_bytes not in (1, 2, 4):
        raise ValueError(f"port_bytes is 1, 2 or 4, not {port_bytes}")
    members = {"restart": Out(1), "words": In(StreamSignature(unsigned(8 * port_bytes)))}
    return Signature(members | ({"place": Out(PLACE_BITS)} if places else {}))
