"""Synthesis, place and route, and the check of the netlist."""
