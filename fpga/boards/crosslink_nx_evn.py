"""Lattice CrossLink-NX Evaluation Board (LIFCL-40), in the form of ``amaranth-boards``.

Clock L13, receive F16 and transmit F18 are in litex-hub/litex-boards, ``litex_boards/platforms/
lattice_crosslink_nx_evn.py`` at 03757094, and in the platform ``LIFCLEVNPlatform`` that forks of amaranth-boards carry
(its comments on the UART are the former's, so it is no independent witness of those two pins); the clock is also in
gatecat/prjoxide, ``examples/lram_evn/evn.pdc`` at 30e3c442. The UART needs work on the board: R18 and R19 removed,
0 Ω on R15 and R17 (the former source).
"""

from __future__ import annotations

from amaranth.build import Attrs, Clock, Pins, Resource, Subsignal
from amaranth.vendor import LatticePlatform


class CrossLinkNXEvaluationPlatform(LatticePlatform):
    device = "LIFCL-40"
    package = "BG400"
    speed = "9"
    grade = "C"
    default_clk = "clk12"
    resources = (
        Resource("clk12", 0, Pins("L13", dir="i"), Clock(12e6), Attrs(IO_TYPE="LVCMOS33")),
        Resource(
            "uart",
            0,
            Subsignal("rx", Pins("F16", dir="i")),
            Subsignal("tx", Pins("F18", dir="o")),
            Attrs(IO_TYPE="LVCMOS33"),
        ),
    )
    connectors = ()
