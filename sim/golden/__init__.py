"""The golden model: the reference kernels in integers, and the oracle that it is compared with."""
