"""The golden model, the test benches of circuits and the simulation of whole designs."""
