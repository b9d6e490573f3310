"""The kernels of the golden model: for each operator's class the function that computes it.

Each kernel stands in a file of its own beside this one and registers itself; the generator's registry of operators is
apart, so that an operator without a kernel is found rather than assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from mbconv.generators.graph.graph import GraphError, Operator

Kernel = Callable[..., Any]
"""Takes the operator, the tensors that it reads and the one that it writes (of an operator of several a tuple of them),
and the values of those that it reads; gives the values of what it writes, likewise."""

_KERNELS: dict[type[Operator], Kernel] = {}


def kernel(operator: type[Operator]) -> Callable[[Kernel], Kernel]:
    """Register the decorated function as the kernel of an operator.

    Raises:
        TypeError: the operator has one already.
    """

    def register(function: Kernel) -> Kernel:
        if operator in _KERNELS:
            raise TypeError(f"{operator.__name__} has two kernels")
        _KERNELS[operator] = function
        return function

    return register


def kernels() -> dict[type[Operator], Kernel]:
    """All kernels, by operator."""
    package = __name__.rpartition(".")[0]
    for info in iter_modules(import_module(package).__path__):
        import_module(f"{package}.{info.name}")
    return dict(_KERNELS)


def refuse_fixed(operator: Operator) -> None:
    """Refuse an operator that has no definition in binary fixed point.

    Raises:
        GraphError: the operator's numbers are binary fixed point.
    """
    if operator.numbers == "fixed":
        raise GraphError(f"operator {operator.index} ({operator.kind}) is not defined in binary fixed point")
