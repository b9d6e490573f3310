"""A signal with thousands of loads all over the chip, such as a network's reset."""

from __future__ import annotations

from amaranth.hdl import Instance, Module
from amaranth.lib.wiring import Component, In, Out

from .cells import record_global_buffer
from .cost import NOTHING


class GlobalBuffer(Component):
    """Gives a signal the global wires of an ECP5; a wire on other families, whose tools decide.

    No cycle. Cost: one of a device's few global buffers (ECP5: 8 of its 16 reach anything but clocks).

    Members:
        i: ``In(1)``, from a register; o: ``Out(1)``, the same.
    """

    own_cost = NOTHING

    def __init__(self):
        super().__init__({"i": In(1), "o": Out(1)})

    def elaborate(self, platform) -> Module:
        record_global_buffer()
        m = Module()
        m.submodules.buffer = Instance("mbconv_global_buffer", i_i=self.i, o_o=self.o)
        return m
