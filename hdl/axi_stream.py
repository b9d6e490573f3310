"""What both ends of a design's AXI4-Stream edge agree on: how a frame's elements lie in beats."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Shape, ShapeLike

from .layouts import StructLayout

LARGEST_ELEMENT = 16
"""Bits of an element that two bytes hold."""


def element_bytes(shape: ShapeLike) -> int:
    """Bytes of an element: one, or two above 8 bits.

    Raises:
        ValueError: an element of more than :data:`LARGEST_ELEMENT` bits, or of none.
    """
    width = Shape.cast(shape).width
    if not 1 <= width <= LARGEST_ELEMENT:
        raise ValueError(f"elements of 1 to {LARGEST_ELEMENT} bits travel in one or two bytes, not of {width}")
    return 1 if width <= 8 else 2


def data_bytes_for(elements: int, element_bytes: int, interval: int) -> int:
    """The least width of TDATA, a power of two of bytes, with which a frame's beats are no more than ``interval``.

    Args:
        elements: of a frame.
        element_bytes: 1 or 2.
        interval: cycles.

    Raises:
        ValueError: a number below 1.
    """
    for name, value in (("elements", elements), ("element_bytes", element_bytes), ("interval", interval)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    data_bytes = 1 << (element_bytes - 1).bit_length()
    while -(-elements * element_bytes // data_bytes) > interval:
        data_bytes *= 2
    return data_bytes


def axi_payload(data_bytes: int, user: bool = False) -> StructLayout:
    """A beat: TDATA, TKEEP, TLAST and, if asked for, one bit of TUSER."""
    fields = {"data": 8 * data_bytes, "keep": data_bytes, "last": 1}
    return StructLayout({**fields, "user": 1} if user else fields)


@dataclass(frozen=True)
class AxiFrame:
    """A frame as one packet: elements in NHWC order, no padding between pixels, a partial last beat.

    Args:
        shape: of an element, which takes one byte, or two (little endian) above 8 bits.
        channels: of a pixel.
        pixels: of a frame.
        data_bytes: of TDATA, a power of two that holds at least one element.

    Raises:
        ValueError: a count below 1, an element or a number of bytes that is not possible.
    """

    shape: ShapeLike
    channels: int
    pixels: int
    data_bytes: int

    def __post_init__(self) -> None:
        for name, value in (("channels", self.channels), ("pixels", self.pixels), ("data_bytes", self.data_bytes)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if self.data_bytes & (self.data_bytes - 1):
            raise ValueError(f"the width of TDATA is a power of two of bytes, not {self.data_bytes}")
        if self.data_bytes < self.element_bytes:
            raise ValueError(f"an element of {self.element_bytes} bytes does not fit the {self.data_bytes} of TDATA")

    @property
    def element_bytes(self) -> int:
        return element_bytes(self.shape)

    @property
    def elements(self) -> int:
        """Of a frame."""
        return self.channels * self.pixels

    @property
    def elements_per_beat(self) -> int:
        return self.data_bytes // self.element_bytes

    @property
    def beats(self) -> int:
        """Of a frame."""
        return -(-self.elements // self.elements_per_beat)

    @property
    def last_elements(self) -> int:
        """Elements of a frame's last beat."""
        return self.elements - (self.beats - 1) * self.elements_per_beat
