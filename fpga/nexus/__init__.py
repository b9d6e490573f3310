"""Nexus (CrossLink-NX): devices, cells and their models, tools."""
