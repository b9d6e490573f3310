"""The pseudo-random frames of a measurement and the signature of its results, in numpy.

The recurrence is that of the board, ``b[n] = b[n-32] ^ b[n-31] ^ b[n-30] ^ b[n-10]``, computed in another way. Squared
k times it holds with every distance multiplied by 2^k (the sum is one of a field of characteristic 2), so that whole
bytes, and soon long runs of them, follow from four others at once.
"""

from __future__ import annotations

import numpy as np

from mbconv.hdl.link.identity import PortShape

_TAPS = (32, 31, 30, 10)
_BITS = 32
_SIGNATURE_START = 0xFFFFFFFF


def sequence(seed: int, count: int) -> np.ndarray:
    """The first ``count`` bytes of the sequence that begins with the 32 bits of ``seed``, lowest bit first."""
    # bit by bit until the recurrence of whole bytes has all that it reaches back to
    bits = [seed >> place & 1 for place in range(_BITS)]
    while len(bits) < 8 * _TAPS[0]:
        bits.append(bits[-32] ^ bits[-31] ^ bits[-30] ^ bits[-10])
    data = np.zeros(max(count, _TAPS[0]), np.uint8)
    data[: _TAPS[0]] = np.packbits(np.array(bits, np.uint8), bitorder="little")
    known, scale = _TAPS[0], 1
    while known < count:
        while known >= 2 * scale * _TAPS[0]:
            scale *= 2
        new = min(count - known, scale * _TAPS[-1])
        total = np.zeros(new, np.uint8)
        for tap in _TAPS:
            total ^= data[known - scale * tap : known - scale * tap + new]
        data[known : known + new] = total
        known += new
    return data[:count]


def _beat_bytes(port: PortShape) -> int:
    """Bytes of a frame's beats, the null ones of the last beat among them."""
    return -(-port.frame_bytes // port.data_bytes) * port.data_bytes


def elements_of(port: PortShape, data: np.ndarray) -> np.ndarray:
    """Elements ``[…, height, width, channels]`` of bytes ``[…, frame_bytes]``; bits above an element are ignored."""
    size = port.element_bytes
    values = np.ascontiguousarray(data).view(f"<u{size}").astype(np.int64) & ((1 << port.bits) - 1)
    if port.signed:
        values -= (values >> (port.bits - 1)) << port.bits
    kind = np.dtype(f"{'i' if port.signed else 'u'}{size}")
    return values.astype(kind).reshape(*data.shape[:-1], port.height, port.width, port.channels)


def frames(port: PortShape, seed: int, count: int) -> np.ndarray:
    """A measurement's frames: elements ``[count, height, width, channels]``."""
    data = sequence(seed, count * _beat_bytes(port)).reshape(count, -1)
    return elements_of(port, data[:, : port.frame_bytes])


def signature(port: PortShape, results: bytes) -> int:
    """The signature of the bytes of all results, each frame's as long as ``port`` says."""
    register, padding = _SIGNATURE_START, bytes(_beat_bytes(port) - port.frame_bytes)
    for start in range(0, len(results), port.frame_bytes):
        for byte in results[start : start + port.frame_bytes] + padding:
            new = (register ^ register >> 1 ^ register >> 2 ^ register >> 22 ^ byte) & 0xFF
            register = register >> 8 | new << (_BITS - 8)
    return register
