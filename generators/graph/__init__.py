"""The graph: the one description of a network that golden model and generator share, and what is told from it alone."""
