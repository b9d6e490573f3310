"""Random elements for tests of circuits."""

import numpy as np
from amaranth.hdl import Shape


def bounds(shape: Shape) -> tuple[int, int]:
    """The least and the greatest value of an element."""
    return (-(1 << (shape.width - 1)), (1 << (shape.width - 1)) - 1) if shape.signed else (0, (1 << shape.width) - 1)


def random_elements(rng: np.random.Generator, shape: Shape, size: tuple[int, ...]) -> np.ndarray:
    low, high = bounds(shape)
    return rng.integers(low, high + 1, size)
