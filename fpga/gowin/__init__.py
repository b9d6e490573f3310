"""Gowin LittleBee and Arora: devices, cells and their models, tools."""
