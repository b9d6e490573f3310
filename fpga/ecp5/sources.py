"""A design's Verilog with ECP5's cells behind the names of the primitives."""

from __future__ import annotations

import re
from pathlib import Path

from mbconv.generators.planning.resources import LARGEST_DISTRIBUTED
from mbconv.hdl.verilog import Verilog

from .memory import memory_modules

_FOLDER = Path(__file__).parent
_MULTIPLY = re.compile(r"\b(\w*mbconv_multiply)\s*#\s*\((.*?)\)\s*(?=(?:\\\S+|\w+)\s*\()", re.DOTALL)
_COUNT = re.compile(r"\.COUNT\s*\(\s*(?:\d+'s?d)?(\d+)\s*\)")


def multipliers(text: str) -> list[int]:
    """The number of products of every ``mbconv_multiply`` in a design's Verilog."""
    return [int(_COUNT.search(match[2])[1]) for match in _MULTIPLY.finditer(text)]


def ecp5_sources(
    verilog: Verilog, *, dsp_blocks: int | None = None, distributed: int = LARGEST_DISTRIBUTED
) -> dict[str, str]:
    """File name → text of all modules, ready for synthesis; nothing is read from memory files any more.

    Args:
        verilog: the design; its primitives are replaced by modules of the same names, ports and latencies.
        dsp_blocks: how many products are DSP blocks, the first ones of the text; the others are rows of carry chains.
            By default all.
        distributed: the depth up to which a memory is made of look-up tables instead of block RAM.

    Raises:
        ValueError: a memory whose contents are missing or that is too deep.
    """
    prefix = re.search(r"module (\w*)mbconv_multiply\b", verilog.primitives)[1]
    # A folder of memory files is no longer wanted: the contents are in the cells.
    text = re.sub(r'\.FILE\(\{\w+, ("[^"]*")\}\)', r".FILE(\1)", verilog.text)
    if dsp_blocks is not None:
        left = dsp_blocks

        def limited(match: re.Match) -> str:
            nonlocal left
            count = int(_COUNT.search(match[2])[1])
            here = min(count, left)
            left -= here
            return f"{match[1]} #({match[2]}, .DSP_COUNT({here})) "

        text = _MULTIPLY.sub(limited, text)
    multiply = (_FOLDER / "multiply.v").read_text()
    multiply = multiply.replace("module mbconv_multiply #", f"module {prefix}mbconv_multiply #")
    return {
        f"{verilog.top}.v": text,
        "multiply.v": multiply,
        "ecp5_memory.v": memory_modules(text, verilog.memory_files, prefix, distributed),
    }
