"""Engines that have a name: parameters that were built for a board."""

from __future__ import annotations

NAMED = {
    "up5k": (
        "map_words=512,map_ports=1,weight_words=512,constant_words=256,tables=1,instructions=12,result_cycles=2,"
        "lane_bits=21,side_bits=6,kernel_bits=4,group_bits=8"
    ),
}
"""Name → parameters as text. ``up5k``: 16 multipliers in the 8 SB_MAC16 of an iCE40UP5K, maps in its SPRAM, all else in
its block RAM."""


def parameters_of(text: str) -> str:
    """The parameters of a named engine; text that is no name as it is."""
    return NAMED.get(text.strip(), text)
