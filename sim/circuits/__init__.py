"""The test bench of single circuits: data, stalls, checks."""
