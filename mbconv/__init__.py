"""Quantised MobileNets as streaming circuits.

The parts are ``mbconv.hdl`` (circuits), ``mbconv.generators`` (from a model file to Verilog), ``mbconv.sim`` (golden
model and simulation), ``mbconv.fpga`` (devices) and ``mbconv.models`` (built-in networks); ``mbconv.cli`` is the
command line.
"""

__version__ = "0.1.0"
