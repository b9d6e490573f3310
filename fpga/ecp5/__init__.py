"""ECP5: devices, cells and their models, memories."""
