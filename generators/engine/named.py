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
    "ecp5_24": (
        "pixels=3,requantizers=2,depthwise_columns=3,map_words=8192,weight_words=1536,constant_words=32,tables=1,"
        "loads_tables=1,instructions=392,weight_bits=9,lane_bits=25,side_bits=8,kernel_bits=4,group_bits=8,ranges=1,"
        "overlaps=1,memory_bytes=249/64,memory_latency=11"
    ),
    "ecp5_32": (
        "pixels=4,requantizers=4,depthwise_columns=4,map_words=32768,weight_words=4096,constant_words=128,tables=2,"
        "loads_tables=1,instructions=1152,weight_bits=9,lane_bits=25,kernel_bits=7,ranges=1,vectors=1,products=1,"
        "overlaps=1,memory_bytes=125/64,memory_latency=11"
    ),
    "ecp5_64": (
        "channels=16,pixels=4,requantizers=4,depthwise_columns=4,folds=1,map_words=8704,weight_words=1536,"
        "constant_words=128,tables=1,loads_tables=1,instructions=272,weight_bits=9,lane_bits=25,side_bits=8,"
        "kernel_bits=7,group_bits=8,ranges=1,vectors=1,products=1,overlaps=1,memory_bytes=249/64,memory_latency=11"
    ),
    "ecp5_144": (
        "channels=16,pixels=9,requantizers=8,depthwise_rows=3,depthwise_columns=3,folds=1,map_words=18432,"
        "weight_words=2048,constant_words=32,tables=1,loads_tables=1,instructions=1224,lane_bits=25,kernel_bits=7,"
        "ranges=1,overlaps=1,spare_registers=1,memory_bytes=125/64,memory_latency=11"
    ),
    "ecp5_v3": (
        "channels=16,pixels=9,requantizers=8,depthwise_rows=3,depthwise_columns=3,folds=1,map_words=16384,"
        "weight_words=2048,constant_words=128,tables=1,loads_tables=1,instructions=512,lane_bits=25,kernel_bits=7,"
        "ranges=1,overlaps=1,vectors=1,spare_registers=1,memory_bytes=125/64,memory_latency=11"
    ),
    "gw2ar_32": (
        "pixels=4,requantizers=2,depthwise_columns=4,map_words=8192,weight_words=512,constant_words=32,tables=1,"
        "loads_tables=1,instructions=232,weight_bits=9,lane_bits=25,side_bits=8,kernel_bits=4,group_bits=8,ranges=1,"
        "overlaps=1,memory_bytes=251/64,memory_latency=9"
    ),
}
"""Name → parameters as text, with the memory outside as it is on the board at its clock.

``up5k``: 16 multipliers in the 8 SB_MAC16 of an iCE40UP5K, maps in its SPRAM, all else in its block RAM.
``up5k_flash``: the same with room for larger networks, whose weights come from the board's flash.
``ecp5_24``, ``ecp5_64``: 24 and 64 multipliers of an LFE5U-25F and -45F, weights and tables from an SDRAM of 32 bits.
``ecp5_32``, ``ecp5_144``: 32 and 144 multipliers of an LFE5U-85F, weights and tables from an SDRAM of 16 bits.
``ecp5_v3``: the latter for MobileNetV3: MUL by a vector, constants for it; fewer maps and instructions.
"""

OF_BOARDS = {
    "icebreaker": ("up5k_flash", 24.0),
    "colorlight-i5": ("ecp5_24", 70.0),
    "ulx3s-85f": ("ecp5_32", 75.0),
}
"""By a board's name its engine, and the clock, in MHz, that it is built for."""


def parameters_of(text: str) -> str:
    """The parameters of a named engine, with what stands behind the name in place of its own: ``up5k,tables=2``. Text
    that begins with no name as it is."""
    name, _, others = text.partition(",")
    if name.strip() not in NAMED:
        return text
    given = {item.partition("=")[0].strip() for item in others.split(",")}
    own = [item for item in NAMED[name.strip()].split(",") if item.partition("=")[0] not in given]
    return ",".join([*own, others] if others else own)
