"""Networks for the engine: programs, their constants, their cycles."""
