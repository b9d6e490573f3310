"""Sipeed Tang Nano 20K (GW2AR-18), in the form of ``amaranth-boards``.

Clock 4, receive 70 and transmit 69 are in two sources that do not cite each other: litex-hub/litex-boards,
``litex_boards/platforms/sipeed_tang_nano_20k.py`` at 0d2cdd69, and nand2mario/nestang, ``src/nano20k/nestang.cst`` at
c8090a4d.

The SDRAM is in the package, between pads of the die that have no pin: what is named here are these pads. They are in
two places: YosysHQ/apicula, ``doc/sdram.md`` at 19ab7a8a, and the tables of the installed apycula (``sip_cst`` of
``GW2A-18C.msgpack.xz``, from the vendor's placement), with which a test compares them. nextpnr also places ports that
have the vendor's names (``O_sdram_clk``, ``IO_sdram_dq``).

nand2mario/sdram-tang-nano-20k, ``src/sdram.v`` at 72bca919, has 2,048 rows and 256 columns of four banks, 15 ns for
tRP and tRCD, 60 for tRC, two cycles for tWR, a refresh every 15 µs. Its maker is not said; the times here are those
of the usual parts of this size, see :mod:`.sdram_devices`.
"""

from __future__ import annotations

from amaranth.build import Attrs, Clock, Pins, PinsN, Resource, Subsignal
from amaranth.vendor import GowinPlatform

from .sdram_devices import SDRAM_64_MBIT


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
        Resource(
            "sdram",
            0,
            Subsignal("clk", Pins("IOR11B", dir="o")),
            Subsignal("clk_en", Pins("IOL13A", dir="o")),
            Subsignal("cs", PinsN("IOL14B", dir="o")),
            Subsignal("we", PinsN("IOL12B", dir="o")),
            Subsignal("ras", PinsN("IOL13B", dir="o")),
            Subsignal("cas", PinsN("IOL14A", dir="o")),
            Subsignal("ba", Pins("IOR13A IOR12A", dir="o")),
            Subsignal(
                "a",
                Pins("IOR14A IOR13B IOR14B IOR15A IOL16B IOL17B IOL16A IOL17A IOL15B IOL15A IOR12B", dir="o"),
            ),
            Subsignal(
                "dq",
                Pins(
                    "IOL3A IOL3B IOL8A IOL8B IOL9A IOL9B IOL11A IOL11B "
                    "IOR9B IOR9A IOR5B IOR6A IOR5A IOR4B IOR3B IOR3A "
                    "IOL39B IOL39A IOL35B IOL35A IOL30B IOL30A IOL20A IOL18B "
                    "IOR17A IOR16A IOR16B IOR17B IOR18A IOR18B IOR44A IOR44B",
                    dir="io",
                ),
            ),
            Subsignal("dqm", Pins("IOL12A IOR11A IOL18A IOR15B", dir="o")),
            Attrs(IO_TYPE="LVCMOS33"),
        ),
    )
    sdram = SDRAM_64_MBIT
    connectors = ()
