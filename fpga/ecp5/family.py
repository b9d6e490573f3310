"""ECP5 as circuits see it."""

from __future__ import annotations

from mbconv.hdl.family import Family

# DP16KD and MULT18X18D with all their registers: without them 104 MHz instead of 165 (docs/fpga.md). A product in rows
# of carry chains takes 64 LUTs and 37 CCU2C of two LUTs each.
ECP5 = Family("ecp5", memory_latency=2, multiplier_latency=3, largest_distributed=32, product_luts=138)
