"""The engine in the simulator."""
