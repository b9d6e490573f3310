"""Colorlight i5 (LFE5U-25F) and i9 (LFE5U-45F) on their extension board, in the form of ``amaranth-boards``.

Clock P3, transmit J17 and receive H18 of the i5 are in litex-hub/litex-boards,
``litex_boards/platforms/colorlight_i5.py`` at 219067ed, and in wuxx/Colorlight-FPGA-Projects,
``src/i5/picosoc/top.lpf`` at c5585999. The i9 sits in the same socket: the sides' pins 84 and 86 are J17 and H18 in the
i5's table (wuxx/Colorlight-FPGA-Projects, ``README.md`` at 0596dbf0) and in the i9's (sconklin/litex-boards,
``litex_boards/platforms/colorlight_i9.py`` at 85077700, which also has the clock at P3, as has
wuxx/Colorlight-FPGA-Projects, ``src/i9/blink/blink.lpf`` at e2f96204).

The SDRAM's lines are those of the same two files of LiteX, for the i5 (EM638325) and for the i9 (M12L64322A), and of
the tables ``SDRAM (U18)`` in wuxx/Colorlight-FPGA-Projects, ``README.md`` (i5, at 0596dbf0) and
``colorlight_i9_v7.2.md`` (i9, at 019d8ca5): all name the same pins, LiteX numbers the data lines differently, which a
memory does not see. CKE, CS and DQM are no pins. An i5 v6.0 has no BA1.
"""

from __future__ import annotations

from amaranth.build import Attrs, Clock, Pins, PinsN, Resource, Subsignal
from amaranth.vendor import LatticeECP5Platform

from .sdram_devices import SDRAM_64_MBIT


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
        Resource(
            "sdram",
            0,
            Subsignal("clk", Pins("B9", dir="o")),
            Subsignal("we", PinsN("A10", dir="o")),
            Subsignal("ras", PinsN("B10", dir="o")),
            Subsignal("cas", PinsN("A9", dir="o")),
            Subsignal("ba", Pins("B11 C8", dir="o")),
            Subsignal("a", Pins("B13 C14 A16 A17 B16 B15 A14 A13 A12 A11 B12", dir="o")),
            Subsignal(
                "dq",
                Pins(
                    "D15 E14 E13 D12 E12 D11 C10 B17 B8 A8 C7 A7 A6 B6 A5 B5 "
                    "D5 C5 D6 C6 E7 D7 E8 D8 E9 D9 E11 C11 C12 D13 D14 C15",
                    dir="io",
                ),
            ),
            Attrs(IO_TYPE="LVCMOS33", SLEWRATE="FAST"),
        ),
    )
    sdram = SDRAM_64_MBIT
    connectors = ()


class ColorlightI5Platform(_ColorlightPlatform):
    device = "LFE5U-25F"


class ColorlightI9Platform(_ColorlightPlatform):
    device = "LFE5U-45F"
