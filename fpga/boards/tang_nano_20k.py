"""Sipeed Tang Nano 20K (GW2AR-18), in the form of ``amaranth-boards``.

Clock 4, receive 70 and transmit 69 are in two sources that do not cite each other: litex-hub/litex-boards,
``litex_boards/platforms/sipeed_tang_nano_20k.py`` at 0d2cdd69, and nand2mario/nestang, ``src/nano20k/nestang.cst`` at
c8090a4d.
"""

from __future__ import annotations

from amaranth.build import Attrs, Clock, Pins, Resource, Subsignal
from amaranth.vendor import GowinPlatform


class TangNano20KPlatform(GowinPlatform):
    part = "GW2AR-LV18QN88C8/I7"
    family = "GW2AR-18C"
    default_clk = "clk27"
    resources = (
        Resource("clk27", 0, Pins("4", dir="i"), Clock(27e6), Attrs(IO_TYPE="LVCMOS33")),
        Resource(
            "uart",
            0,
            Subsignal("rx", Pins("70", dir="i")),
            Subsignal("tx", Pins("69", dir="o")),
            Attrs(IO_TYPE="LVCMOS33", PULL_MODE="UP"),
        ),
    )
    connectors = ()
