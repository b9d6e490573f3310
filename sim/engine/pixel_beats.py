"""Elements of a tensor as an engine takes them: each pixel begins with a beat."""

from __future__ import annotations

import numpy as np


def pixel_beats(values: np.ndarray, channels: int, size: int) -> np.ndarray:
    """Bytes ``uint8 [beats, size]`` of a tensor's elements, in their order; those beyond a pixel's channels are 0."""
    pixels = np.asarray(values).astype(np.int64).reshape(-1, channels)
    octets = np.zeros((len(pixels), -(-channels // size) * size), np.uint8)
    octets[:, :channels] = pixels & 0xFF
    return octets.reshape(-1, size)
