"""Colorlight i5 (LFE5U-25F) and i9 (LFE5U-45F) on their extension board, in the form of ``amaranth-boards``.

Clock P3, transmit J17 and receive H18 of the i5 are in litex-hub/litex-boards,
``litex_boards/platforms/colorlight_i5.py`` at 219067ed, and in wuxx/Colorlight-FPGA-Projects,
``src/i5/picosoc/top.lpf`` at c5585999. The i9 sits in the same socket: the sides' pins 84 and 86 are J17 and H18 in the
i5's table (wuxx/Colorlight-FPGA-Projects, ``README.md`` at 0596dbf0) and in the i9's (sconklin/litex-boards,
``litex_boards/platforms/colorlight_i9.py`` at 85077700, which also has the clock at P3, as has
wuxx/Colorlight-FPGA-Projects, ``src/i9/blink/blink.lpf`` at e2f96204).
"""

from __future__ import annotations

from amaranth.build import Attrs, Clock, Pins, Resource, Subsignal
from amaranth.vendor import LatticeECP5Platform


class _ColorlightPlatform(LatticeECP5Platform):
    package = "BG381"
    speed = "6"
    default_clk = "clk25"
    resources = (
        Resource("clk25", 0, Pins("P3", dir="i"), Clock(25e6), Attrs(IO_TYPE="LVCMOS33")),
        Resource(
            "uart",
            0,
            Subsignal("rx", Pins("H18", dir="i")),
            Subsignal("tx", Pins("J17", dir="o")),
            Attrs(IO_TYPE="LVCMOS33"),
        ),
    )
    connectors = ()


class ColorlightI5Platform(_ColorlightPlatform):
    device = "LFE5U-25F"


class ColorlightI9Platform(_ColorlightPlatform):
    device = "LFE5U-45F"
