"""From a model file to a graph, from a graph to a design, and from a design to Verilog."""
