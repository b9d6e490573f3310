"""The test bench that is emitted beside a design and needs nothing of mbconv."""
