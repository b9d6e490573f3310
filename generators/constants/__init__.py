"""Constants of the circuits: weights in their order, requantisation and tables, each proved equal to the reference."""
