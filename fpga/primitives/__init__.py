"""A family's cells behind the names of the primitives: memories tiled, products in DSP blocks or rows."""
