"""From a graph to circuits: which operator becomes which circuit, and what each circuit of a network is made of."""
