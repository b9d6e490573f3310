"""The bench of single circuits: data, stalls, checks."""
