"""An engine behind a board's UART: its identity, the rate of its link, and its Verilog."""

from __future__ import annotations

from mbconv.hdl.engine.engine import Engine
from mbconv.hdl.engine.flash_reader import FlashReader
from mbconv.hdl.engine.parameters import EngineParameters
from mbconv.hdl.engine.sdram import SdramReader, SdramTiming
from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.link.baud import BITS_PER_BYTE, STANDARD_RATES, BitLength, fastest_rate
from mbconv.hdl.link.engine_top import EngineTop, least_bit_cycles, memory_text
from mbconv.hdl.link.identity import HASH_BYTES, Identity, PortShape
from mbconv.hdl.verilog import Verilog, to_verilog

from ..graph.graph import GraphError

NAME = "engine"
"""Of the top module and its files."""

FLASH_ADDRESS = 0x100000
"""Of a network's weights in a board's flash, behind the bitstream."""

PAD_CYCLES = 2
"""Cycles that pads add to a flash's bits and an SDRAM's words: a register each way."""

_NO_PORT = PortShape(8, False, 1, 0, 0, 0)


def engine_top(
    parameters: EngineParameters,
    clock: float,
    baud: float | None = None,
    *,
    flash: int | None = None,
    sdram: SdramTiming | None = None,
    family: Family = GENERIC,
    simulated: bool = False,
) -> EngineTop:
    """The top of a board with an engine.

    Args:
        clock: Hz, of the port ``clk``.
        baud: of the UART; by default the highest standard rate up to 1,000,000 that clock and engine allow.
        flash: the address of a network's weights in the board's flash, which an engine with a port of a byte reads.
        sdram: the board's, which one with a wider port reads.
        simulated: what the identity says.

    Raises:
        GraphError: a rate that the clock cannot make, or parameters that no board's engine has.
    """
    try:
        byte_cycles = BITS_PER_BYTE * least_bit_cycles(parameters, family)
        bit = BitLength(clock, baud or fastest_rate(clock, byte_cycles) or STANDARD_RATES[0])
        reader = words = None
        if parameters.port_bytes > 1 and sdram is not None:
            words = SdramReader(sdram, bit.clock, PAD_CYCLES, places=bool(parameters.overlaps), family=family)
        elif parameters.port_bytes and flash is not None:
            reader = FlashReader(flash, bit.clock, PAD_CYCLES, family=family)
        described = Identity(
            NAME,
            bytes(HASH_BYTES),
            parameters.identity.to_bytes(HASH_BYTES, "little"),
            round(bit.clock),
            round(bit.baud),
            0,
            0,
            parameters.lanes,
            _NO_PORT,
            _NO_PORT,
            simulated,
            parameters.text + memory_text(reader or words),
            fills=words is not None,
        )
        return EngineTop(Engine(parameters, family), described, bit, flash=reader, sdram=words, family=family)
    except ValueError as error:
        raise GraphError(str(error)) from None


def engine_verilog(top: EngineTop) -> Verilog:
    """The Verilog of an engine's board, module ``engine_board``."""
    return to_verilog(top, f"{NAME}_board")
