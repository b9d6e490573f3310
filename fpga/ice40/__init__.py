"""iCE40 UltraPlus: devices, cells, tools."""
