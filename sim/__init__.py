"""The golden model, the benches of circuits and the simulation of whole designs."""
