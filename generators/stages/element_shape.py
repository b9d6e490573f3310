"""The circuits' shape of a tensor's element."""

from __future__ import annotations

from amaranth.hdl import Shape, signed, unsigned

from ..graph.graph import Element


def element_shape(element: Element) -> Shape:
    """A signed or unsigned integer of the element's bits."""
    return signed(element.bits) if element.signed else unsigned(element.bits)
