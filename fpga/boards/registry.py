"""Boards by name: which platform describes each, read into what the flow needs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from mbconv.generators.graph.graph import GraphError
from mbconv.generators.planning.device import Board
from mbconv.hdl.engine.sdram import SdramTiming

from ..families import FAMILIES, find_part
from ..family import Part, Pin


@dataclass(frozen=True)
class FpgaBoard(Board):
    """A board with what a bitstream for it needs.

    Attributes:
        platform: ``module:class`` of its description.
        clock_mhz, clock: the oscillator and its pin.
        rx, tx: the pins of a UART's receiver and transmitter, from the FPGA's side; None where the board has none.
        pll_below_range: the PLL is fed with the oscillator although its maker gives a higher lowest clock for it.
        loader: the name by which openFPGALoader knows the board; empty if it does not.
        flash: by the port of the top the pins of its SPI flash on four lines; empty where it has none.
        sdram: likewise of its SDR SDRAM; sdram_timing: what it is; None where it has none.
    """

    platform: str
    part: Part
    clock_mhz: float
    clock: Pin
    rx: Pin | None
    tx: Pin | None
    loader: str = ""
    pll_below_range: bool = False
    flash: Mapping[str, Pin] = field(default_factory=dict, hash=False)
    sdram: Mapping[str, Pin] = field(default_factory=dict, hash=False)
    sdram_timing: SdramTiming | None = None


_OURS, _AMARANTH = "mbconv.fpga.boards", "amaranth_boards"
_PLATFORMS = {  # name: title, module, class, openFPGALoader's name
    "ulx3s-12f": ("ULX3S 12F", f"{_AMARANTH}.ulx3s", "ULX3S_12F_Platform", "ulx3s"),
    "ulx3s-25f": ("ULX3S 25F", f"{_AMARANTH}.ulx3s", "ULX3S_25F_Platform", "ulx3s"),
    "ulx3s-45f": ("ULX3S 45F", f"{_AMARANTH}.ulx3s", "ULX3S_45F_Platform", "ulx3s"),
    "ulx3s-85f": ("ULX3S 85F", f"{_AMARANTH}.ulx3s", "ULX3S_85F_Platform", "ulx3s"),
    "icepi-zero": ("Icepi Zero", f"{_AMARANTH}.icepi_zero", "IcepiZero1_3Platform", "icepi-zero"),
    "icesugar-pro": ("iCESugar-Pro", f"{_AMARANTH}.icesugar_pro", "ICESugarProPlatform", ""),
    "orangecrab-25f": ("OrangeCrab 25F", f"{_AMARANTH}.orangecrab_r0_2", "OrangeCrabR0_2_25FPlatform", "orangeCrab"),
    "orangecrab-85f": ("OrangeCrab 85F", f"{_AMARANTH}.orangecrab_r0_2", "OrangeCrabR0_2_85FPlatform", "orangeCrab"),
    "butterstick": ("ButterStick", f"{_AMARANTH}.butterstick", "ButterStickPlatform", ""),
    "colorlight-i5": ("Colorlight i5", f"{_OURS}.colorlight", "ColorlightI5Platform", "colorlight-i5"),
    "colorlight-i9": ("Colorlight i9", f"{_OURS}.colorlight", "ColorlightI9Platform", "colorlight-i9"),
    "ecp5-evn": ("ECP5 Evaluation Board", f"{_AMARANTH}.ecp5_5g_evn", "ECP55GEVNPlatform", "ecp5_evn"),
    "icebreaker": ("iCEBreaker", f"{_AMARANTH}.icebreaker", "ICEBreakerPlatform", "ice40_generic"),
    "icesugar": ("iCESugar", f"{_AMARANTH}.icesugar", "ICESugarPlatform", ""),
    "tang-nano-9k": ("Tang Nano 9K", f"{_AMARANTH}.tang_nano_9k", "TangNano9kPlatform", "tangnano9k"),
    "tang-nano-20k": ("Tang Nano 20K", f"{_OURS}.tang_nano_20k", "TangNano20KPlatform", "tangnano20k"),
    "tang-primer-20k": ("Tang Primer 20K", f"{_AMARANTH}.tang_primer_20k", "TangPrimer20kPlatform", "tangprimer20k"),
    "crosslink-nx-evn": ("CrossLink-NX Evaluation Board", f"{_OURS}.crosslink_nx_evn",
                         "CrossLinkNXEvaluationPlatform", "crosslinknx_evn"),
    "crosslink-nx-evn-pll": ("CrossLink-NX Evaluation Board, PLL at 12 MHz", f"{_OURS}.crosslink_nx_evn",
                             "CrossLinkNXEvaluationPllPlatform", "crosslinknx_evn"),
}  # fmt: skip


@cache
def boards() -> tuple[FpgaBoard, ...]:
    """All boards of the table."""
    return tuple(_read(name, *entry) for name, entry in _PLATFORMS.items())


def find_board(name: str) -> FpgaBoard:
    """The board of a name, of which case, spaces, ``-`` and ``_`` do not matter; or ``module:Platform``, a user's own
    board: a class in the form of ``amaranth-boards``, of a module that can be imported from the current folder.

    Raises:
        GraphError: there is none, or the class does not describe a board that the flow can build for.
    """
    if ":" in name:
        module, _, platform = name.partition(":")
        return _read(name, platform, module, platform, "")
    known = {_key(known): known for known in _PLATFORMS}
    if _key(name) not in known:
        close = get_close_matches(_key(name), known, n=1)
        guess = f" (did you mean {known[close[0]]}?)" if close else ""
        raise GraphError(f"there is no board {name!r}{guess}; the boards are {', '.join(_PLATFORMS)}")
    return _read(known[_key(name)], *_PLATFORMS[known[_key(name)]])


def _key(name: str) -> str:
    return "".join(character for character in name.lower() if character not in " -_")


@cache
def _read(name: str, title: str, module: str, platform: str, loader: str) -> FpgaBoard:
    found = _platform(name, module, platform)
    part = _part(name, found)
    clock, uart = found.resources.get((found.default_clk, 0)), found.resources.get(("uart", 0))
    if clock is None or clock.clock is None:
        raise GraphError(f"the board {name} has no clock: its platform's default_clk names no resource with a Clock")
    pins = {io.name: io for io in uart.ios} if uart is not None else {}
    return FpgaBoard(
        name,
        title,
        part.resources,
        f"{module}:{platform}",
        part,
        clock.clock.frequency / 1e6,
        _pin(found, clock, clock),
        *(_pin(found, uart, pins[wire]) if wire in pins else None for wire in ("rx", "tx")),
        loader,
        getattr(found, "pll_below_range", False),
        _flash_pins(found),
        *_sdram(found),
    )


def _flash_pins(platform: Any) -> dict[str, Pin]:
    """The pins of a board's flash, where its four lines are named."""
    flash = platform.resources.get(("spi_flash_4x", 0))
    if flash is None:
        return {}
    signals = {signal.name: signal for signal in flash.ios}
    if not {"cs", "clk", "dq"} <= signals.keys():  # the clock of a configuration's pins has none of its own
        return {}
    names = {"cs": ["flash_cs_n"], "clk": ["flash_sck"], "dq": [f"flash_io[{line}]" for line in range(4)]}
    return {
        port: pin
        for name, ports in names.items()
        for port, pin in zip(ports, _pins(platform, flash, signals[name]), strict=True)
    }


_SDRAM_PINS = {  # by Amaranth's name; a line of several bits has a port with an index for each
    "clk": "clk", "clk_en": "cke", "cs": "cs_n", "ras": "ras_n", "cas": "cas_n", "we": "we_n", "ba": "ba", "a": "a",
    "dq": "dq", "dqm": "dqm",
}  # fmt: skip


def _sdram(platform: Any) -> tuple[dict[str, Pin], SdramTiming | None]:
    """The pins of a board's SDRAM, and what it is: the platform's ``sdram``, or the usual part of as many lines."""
    sdram = platform.resources.get(("sdram", 0))
    if sdram is None:
        return {}, None
    found, bits = {}, {}
    for signal in sdram.ios:
        name, pins = _SDRAM_PINS[signal.name], _pins(platform, sdram, signal)
        bits[name] = len(pins)
        several = name in ("ba", "a", "dq", "dqm")
        found |= {f"sdram_{name}[{line}]" if several else f"sdram_{name}": pin for line, pin in enumerate(pins)}
    usual = SdramTiming(data_bits=bits["dq"], row_bits=bits["a"]) if bits["dq"] in (16, 32) else None
    timing = getattr(platform, "sdram", usual)
    return (found, timing) if timing is not None else ({}, None)


def _platform(name: str, module: str, platform: str) -> Any:
    """An instance of a platform's class."""
    here = str(Path.cwd())
    own = name == f"{module}:{platform}"
    if own and here not in sys.path:
        sys.path.insert(0, here)
    try:
        return getattr(importlib.import_module(module), platform)()
    except ModuleNotFoundError as error:
        if own or error.name.partition(".")[0] != "amaranth_boards":
            raise GraphError(f"the board {name}: there is no module {error.name}") from None
        raise
    except AttributeError:
        raise GraphError(f"the board {name}: the module {module} has no class {platform}") from None
    except (TypeError, ValueError) as error:
        raise GraphError(f"the board {name}: {platform} is no complete platform: {error}") from None


# What Amaranth calls a package, where nextpnr has another name for it.
_PACKAGES = {"BG256": "CABGA256", "BG381": "CABGA381", "BG554": "CABGA554", "BG756": "CABGA756", "MG285": "CSFBGA285"}


def _part(name: str, platform: Any) -> Part:
    number = getattr(platform, "part", None)
    if number is not None:  # Gowin: GW1NR-LV9QN88PC6/I5 and, as Apicula calls the die, GW1N-9C
        for family in FAMILIES:
            part = family.part_of_number(number, platform.family)
            if part is not None:
                return part
        raise GraphError(f"the board {name} has a {number}, which is of no family that there are tools for")
    package = _PACKAGES.get(platform.package, platform.package)
    speed = getattr(platform, "speed", None)
    try:
        part = find_part(platform.device)
        package = package if package in part.family.table[part.device]["packages"] else platform.package
        return part.family.part(part.device, package, speed)
    except GraphError as error:
        raise GraphError(f"the board {name}: {error}") from None


def _pin(platform: Any, resource: Any, signal: Any) -> Pin:
    """The first pin of a signal of a resource, which may itself be the signal."""
    return _pins(platform, resource, signal)[0]


def _pins(platform: Any, resource: Any, signal: Any) -> list[Pin]:
    """The pins of a signal."""
    connected = {pin: target for connector in platform.connectors.values() for pin, target in connector}
    attributes = {
        name: value(platform) if callable(value) else value
        for name, value in {**resource.attrs, **signal.attrs}.items()
    }
    return [Pin(name, attributes) for name in signal.ios[0].map_names(connected, resource)]
