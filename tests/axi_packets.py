"""AXI4-Stream packets as payloads, made without the circuits' own code: TDATA, TKEEP, TLAST, TUSER from the lowest
bit."""

import numpy as np

from mbconv.hdl.axi_stream import AxiFrame


def packet_bytes(elements: np.ndarray, frame: AxiFrame) -> bytes:
    """Elements as one or two bytes each, little endian, sign or zero extended."""
    return np.asarray(elements).astype(f"<i{frame.element_bytes}", casting="unsafe").tobytes()


def packet_beats(elements: np.ndarray, frame: AxiFrame, user: int | None = None) -> list[int]:
    """A packet of any number of elements; TUSER, where there is one, on the last beat. None at all is one beat."""
    data, size = packet_bytes(elements, frame), frame.data_bytes
    beats = []
    for start in range(0, max(1, len(data)), size):
        part = data[start : start + size]
        last = start + size >= len(data)
        beat = int.from_bytes(part, "little") | ((1 << len(part)) - 1) << 8 * size | last << 9 * size
        beats.append(beat | (int(last and user) << 9 * size + 1 if user is not None else 0))
    return beats


def frame_beats(tensor: np.ndarray, frame: AxiFrame, user: int | None = None) -> list[int]:
    """The packet of a frame ``[pixels, channels]``."""
    assert tensor.size == frame.elements
    return packet_beats(tensor.reshape(-1), frame, user)
