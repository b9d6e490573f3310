"""Designs and what is written of them: Verilog, memory files, manifest."""
