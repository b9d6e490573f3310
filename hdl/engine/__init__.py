"""The engine: one array of multipliers that computes one layer of a network after another."""
