"""Whole designs in Verilator, compared with the golden model."""
