"""All circuits that can stand in an operator's place, found in the files beside this one."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from .protocol import StageCircuit

_PACKAGE = __name__.rpartition(".")[0]


def _circuits() -> dict[str, StageCircuit]:
    found: dict[str, StageCircuit] = {}
    for info in iter_modules(import_module(_PACKAGE).__path__):
        if info.name in _SHARED:
            continue
        module = import_module(f"{_PACKAGE}.{info.name}")
        circuit = getattr(module, "CIRCUIT", None)
        if not isinstance(circuit, StageCircuit):
            raise TypeError(f"{module.__name__} has no CIRCUIT and is not among the files that circuits share")
        if info.name != circuit.KIND:
            raise TypeError(f"{module.__name__} holds the circuit {circuit.KIND!r}; file and circuit have one name")
        found[circuit.KIND] = circuit
    return found


_SHARED = (
    "element_shape",
    "elementwise",
    "folded",
    "network",
    "protocol",
    "registry",
    "stage",
    "window_pool",
    "windowed",
)

CIRCUITS: dict[str, StageCircuit] = _circuits()
"""Every circuit, by its name."""


def circuit_named(kind: str) -> StageCircuit:
    """The circuit of a name.

    Raises:
        LookupError: there is none; an operator that is lowered to it is a mistake in mbconv.
    """
    if kind not in CIRCUITS:
        raise LookupError(f"no circuit is named {kind!r}; there are {', '.join(CIRCUITS)}")
    return CIRCUITS[kind]
