"""Engines that have a name: parameters that were built for a board."""

from __future__ import annotations

NAMED = {
    "up5k": (
        "map_words=512,map_ports=1,weight_words=512,constant_words=256,tables=1,instructions=12,result_cycles=2,"
        "lane_bits=21,side_bits=6,kernel_bits=4,group_bits=8,maxima=0,standing_words=5"
    ),
    "up5k_flash": (
        "map_words=16384,map_ports=1,weight_words=512,constant_words=256,tables=1,instructions=32,result_cycles=2,"
        "lane_bits=21,side_bits=7,kernel_bits=4,group_bits=5,table_bits=16,maxima=0,standing_words=6,"
        "memory_bytes=1/2,memory_latency=28"
    ),
}
"""Name → parameters as text, with the memory outside as it is on the board at 24 MHz. ``up5k``: 16 multipliers in the 8
SB_MAC16 of an iCE40UP5K, maps in its SPRAM, all else in its block RAM. ``up5k_flash``: the same with room for larger
networks, whose weights come from the board's flash."""


def parameters_of(text: str) -> str:
    """The parameters of a named engine; text that is no name as it is."""
    return NAMED.get(text.strip(), text)
