"""A maximal sequence of bits, many bits a cycle: the pattern generator and the signature register of a measurement.

``b[n] = b[n-32] ^ b[n-31] ^ b[n-30] ^ b[n-10]`` has period 2³² − 1, since x³² + x²² + x² + x + 1 is primitive (the
tests prove it). No tap is nearer than ten bits, so that ten new bits are a sum of four bits each.
"""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Value

BITS = 32
TAPS = (32, 31, 30, 10)
"""How far back the bits are whose sum is the next one."""


def following(state: Value, count: int, added: Sequence[Value] = ()) -> list[Value]:
    """The register's bits, the oldest (its lowest) first, and ``count`` bits that follow them.

    Args:
        state: 32 bits.
        added: where given, a bit to add to each that follows: the register is then a signature of these bits.
    """
    # Each bit as the set of those whose sum it is: the register's by their index, the added ones from 32 on.
    terms = [frozenset({index}) for index in range(BITS)]
    for step in range(count):
        total = frozenset({BITS + step}) if added else frozenset()
        for tap in TAPS:
            total ^= terms[-tap]
        terms.append(total)
    given = [*(state[index] for index in range(BITS)), *added]
    return [Cat(given[index] for index in sorted(total)).xor() for total in terms]
