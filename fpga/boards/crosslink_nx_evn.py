"""Lattice CrossLink-NX Evaluation Board (LIFCL-40), in the form of ``amaranth-boards``.

Clock L13, receive F16 and transmit F18 are in litex-hub/litex-boards, ``litex_boards/platforms/
lattice_crosslink_nx_evn.py`` at 03757094, and in the platform ``LIFCLEVNPlatform`` that forks of amaranth-boards carry
(its comments on the UART are the former's, so it is no independent witness of those two pins). A second source,
sylefeb/Silice, ``frameworks/boards/crosslink_nx_evn/crosslink_nx_evn.pdc`` at 4ac747a9, has the same clock and the same
two pins of the UART, but calls F18 ``RX`` and F16 ``TX``, and no design of it uses them: the pins stand, which is which
rests on the former source alone (``--uart F18,F16`` swaps them). The clock is also in gatecat/prjoxide,
``examples/lram_evn/evn.pdc`` at 30e3c442.

The UART needs work on the board: R18 and R19 removed, 0 Ω on R15 and R17 (litex-boards), and the second channel of the
interface's chip set to UART (trabucayre/fixFT2232_ecp5evn).

The oscillator makes 12 MHz, and the family's PLL takes 18 MHz or more by its data sheet (enjoy-digital/litex, pull
request 2582), so no PLL makes the clock of :class:`CrossLinkNXEvaluationPlatform`.
:class:`CrossLinkNXEvaluationPllPlatform` is the same board with the PLL at those 12 MHz, below that range. Others
build so for this board (girlvoice/girlvoice-gateware, ``girlvoice/targets/lifcl_evn_top.py`` at 91bff08d: 32 MHz), and
LiteX allowed 10 MHz until that pull request; that it locks nobody promises.

The two further clocks do not help. The 125 MHz at C12 (the platform of litex-boards) are at a pad that nextpnr's
database does not have as a pin. The FPGA's own oscillator is within 7 % (YosysHQ/nextpnr, pull request 912), and the
two ends of a UART may differ by 5 % before the last bit of a byte is missed.
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


class CrossLinkNXEvaluationPllPlatform(CrossLinkNXEvaluationPlatform):
    pll_below_range = True
