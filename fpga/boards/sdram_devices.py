"""SDRAM devices that several boards have."""

from __future__ import annotations

from mbconv.hdl.engine.sdram import SdramTiming

SDRAM_64_MBIT = SdramTiming(
    data_bits=32,
    row_bits=11,
    column_bits=8,
    precharge_ns=21.0,
    activate_ns=21.0,
    row_ns=70.0,
    refresh_ns=70.0,
    interval_ns=15_600.0,
)
"""2 M words of 32 bits, the grade -7 and faster of the usual makers.

Times hold for either of these. M12L64322A: enjoy-digital/litedram, ``litedram/modules.py`` at 01355ff7, has tRP, tRCD
and tWR 15, tRFC 55, tRAS 40 ns; ESMT's data sheet (rev. 2.3) 14 ns for tWR of -7 and a refresh every 15.6 µs. EM638325:
Etron's (rev. 1.4) has 4,096 refreshes in 64 ms; models that cite it have 18 to 21 ns for tRP and tRCD, 42 for tRAS, 63
for tRC and tRFC, two cycles for tWR, 10 ns at least for a cycle at CAS latency 2.
"""
