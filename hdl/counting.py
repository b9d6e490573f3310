"""What circuits count with."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value


def advance(m: Module, pointer: Signal, count: int) -> None:
    """Step a pointer that goes round ``count`` places; it has no bit more than they need."""
    if count == 1 << len(pointer):
        m.d.sync += pointer.eq(pointer + 1)
    elif count > 1:
        m.d.sync += pointer.eq(Mux(pointer == count - 1, 0, pointer + 1))


def step_level(m: Module, level: Signal, up: Value, down: Value) -> None:
    """Step a level that is held as one bit for each item, the lowest first: "some" and "full" are registers."""
    with m.If(up ^ down):
        m.d.sync += level.eq(Mux(up, Cat(1, level)[: len(level)], level[1:]))


def delayed(m: Module, value: Value, cycles: int, name: str, *, reset: bool = False) -> Value:
    """A value some cycles later; without ``reset`` it is undefined for as long after a reset."""
    for age in range(cycles):
        later = Signal(value.shape(), name=f"{name}_{age}", reset_less=not reset)
        m.d.sync += later.eq(value)
        value = later
    return value
