"""A board's top as emitted, running in Verilator behind a pseudo-terminal."""
