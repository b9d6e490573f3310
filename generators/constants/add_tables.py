"""The constants of an addition circuit: tables of its operands, found by search and proved equal to the reference.

TFLite's ADD scales each operand by a rounded multiplier, adds, and rounds twice on the way back. Over its 256 × 256
pairs of operands that is a matrix of results, and any two tables will do whose sums fall between the right multiples of
2^shift. The cheapest is taken of

lines
    both tables are straight lines, multiplications by constants of few adders; always so in binary fixed point.
tables
    integers that solve all pairs' inequalities (:mod:`~mbconv.generators.constants.difference_constraints`). Where real
    numbers do, integers with 8 bits below the point do: what contradicts them is a cycle of inequalities, at most 256
    of them strict, each of which costs an integer one unit of the 2^8 or more that the cycle leaves a real number.

and where neither exists, because halves of both signs contradict each other (scales in ratios of small integers),

signed tables
    with another rounding constant for negative sums, as the reference rounds halves away from zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mbconv.hdl.add_constants import AddConstants
from mbconv.hdl.requantize_format import signed_bits
from mbconv.hdl.value_tables import line_adders, linear

from ..graph.graph import Element, Graph, GraphError, Tensor
from ..operators.add import Add
from ..operators.subtract import Subtract
from ..stages.element_shape import element_shape
from .add_lines import straight_lines
from .add_reference import AddReference, affine_reference, element_values
from .difference_constraints import UNBOUNDED, additive_tables
from .step_function import activation_limits

_LUTS_PER_BLOCK = 200
"""The price of a block of memory of 256 × 16 bits: an iCE40UP5K has one for 176 four-input tables, an ECP5 for 400."""
_TABLE_BITS = 8  # below the point, with which tables exist if any do


def add_constants(op: Add | Subtract, graph: Graph) -> AddConstants:
    """The cheapest constants of an ADD or SUB that are proved equal to the reference for every pair of operands.

    Affine operands have at most 8 bits and all pairs are compared; binary fixed point has up to 16, where the circuit's
    exact sum and one rounding shift are the definition (and all pairs are compared up to 8 bits).

    Raises:
        GraphError: no constants of this circuit reproduce the reference, or the operands are too wide.
    """
    first, second = (graph.tensors[index] for index in op.inputs)
    return min(add_solutions(op, graph), key=lambda found: _cost(found, first.element, second.element))


def add_solutions(op: Add | Subtract, graph: Graph) -> list[AddConstants]:
    """Constants of an ADD, one set or more, each proved as :func:`add_constants` says; of lines, only the cheapest.

    Raises:
        GraphError: as :func:`add_constants`.
    """
    first, second = (graph.tensors[index] for index in op.inputs)
    output = graph.tensors[op.outputs[0]]
    limits = activation_limits(op.activation, output.element, output.scale, output.zero_point)
    where, subtracts = f"operator {op.index} {op.kind}", isinstance(op, Subtract)
    if op.numbers == "fixed" and not subtracts:
        return [_fixed(where, first, second, output, limits)]
    for tensor in (first, second):
        if tensor.element.bits > 8:
            raise GraphError(f"{where}: tensor {tensor.index} is {tensor.element}; operands of at most 8 bits add up")
    reference = affine_reference(first, second, output, limits, -1 if subtracts else 1)
    found = () if subtracts else straight_lines(reference)  # whose slopes are sought among those that rise
    cheapest = min(found, key=lambda lines: lines.luts, default=None)
    lines = [] if cheapest is None else [cheapest.constants()]
    solutions = [*_tables(reference), *lines] or list(_signed_tables(reference))
    if not solutions:
        raise GraphError(
            f"{where}: no tables of its operands give the reference's sums for scales {first.scale:.6g} and "
            f"{second.scale:.6g} into {output.scale:.6g}; quantise it again with another scale"
        )
    for constants in solutions:
        reference.prove(where, constants)
    return solutions


def _tables(reference: AddReference) -> Iterator[AddConstants]:
    """Tables with the least shift that has any."""
    best = additive_tables(*reference.bounds(_TABLE_BITS))
    if best is None:
        return
    low, high = -1, _TABLE_BITS  # twice the tables of a shift are some of the next, so bisection finds the least
    while high - low > 1:
        middle = (low + high) // 2
        # A chain of bounds is what limits an entry, and with fewer bits the strict ones among them limit it more.
        above = best[0] >> (high - middle), -(-best[1] >> (high - middle))
        found = additive_tables(*reference.bounds(middle), above)
        if found is None:
            low = middle
        else:
            best, high = found, middle
    first, second = _balanced(*best)
    yield AddConstants(
        first=tuple(first),
        second=tuple(second),
        positive=0,
        negative=0,
        shift=high,
        zero_point=0,
        minimum=reference.minimum,
        maximum=reference.maximum,
    )


def _balanced(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same sums from narrow tables: the second takes of the first's offset what its own width leaves room for."""
    moved = int(second.max() + second.min()) // 2
    first, second = first + moved, second - moved
    room = (1 << int(np.abs(second).max()).bit_length()) - 1 - int(np.abs(second).max())
    moved = int(np.clip(int(first.max() + first.min()) // 2, -room, room))
    return first - moved, second + moved


def _signed_tables(reference: AddReference) -> Iterator[AddConstants]:
    """Tables whose sums have the sign of the reference's sums, with a rounding constant for each sign."""
    zero = reference.output.zero_point
    for shift in (_TABLE_BITS, _TABLE_BITS + 4, _TABLE_BITS + 8, _TABLE_BITS + 12):
        least, greatest = reference.bounds(shift)
        half = 1 << (shift - 1)
        for exponent in range(shift - 2, -1, -1):
            constants = np.where(reference.negative, half - (1 << exponent), half) + (zero << shift)
            lowest = np.where(reference.negative, -UNBOUNDED, 0)
            highest = np.where(reference.negative, -1, UNBOUNDED)
            found = additive_tables(
                np.where(least == -UNBOUNDED, lowest, np.maximum(least - constants, lowest)),
                np.where(greatest == UNBOUNDED, highest, np.minimum(greatest - constants, highest)),
            )
            if found is not None:
                first, second = _balanced(*found)
                yield AddConstants(
                    first=tuple(first),
                    second=tuple(second),
                    positive=half,
                    negative=half - (1 << exponent),
                    shift=shift,
                    zero_point=zero,
                    minimum=reference.minimum,
                    maximum=reference.maximum,
                )
                return


def _cost(constants: AddConstants, first: Element, second: Element) -> int:
    """Four-input tables of a lane, a block of memory at its price."""
    cost = 0
    offset = constants.positive if constants.positive == constants.negative else 0
    for element, table, constant in ((first, constants.first, offset), (second, constants.second, 0)):
        bits = signed_bits(min(table) + constant, max(table) + constant)
        line = linear(table)
        if line is None:
            cost += _LUTS_PER_BLOCK * -(-bits // 16)
        else:
            cost += line_adders(element_shape(element), line[0], line[1] + constant) * bits
    return cost


def _fixed(where: str, first: Tensor, second: Tensor, output: Tensor, limits: tuple[int, int]) -> AddConstants:
    """Both operands brought to the finest fraction, their sum shifted to the output's with halves rounded up."""
    exponents = [_exponent(where, tensor) for tensor in (first, second, output)]
    finest = min(exponents)
    for tensor, exponent in zip((first, second, output), exponents, strict=True):
        if exponent - finest > 24 or tensor.element.bits > 16:
            raise GraphError(
                f"{where}: tensor {tensor.index} is {tensor.element} with scale {tensor.scale:.6g}; elements of at "
                "most 16 bits and scales within a factor of 2^24 add up"
            )
    shift = exponents[2] - finest
    half = (1 << shift) >> 1
    first_table, second_table = (
        element_values(tensor.element) << (exponent - finest)
        for tensor, exponent in zip((first, second), exponents[:2], strict=True)
    )
    constants = AddConstants(
        tuple(first_table), tuple(second_table), half, half, shift, 0, minimum=limits[0], maximum=limits[1]
    )
    if max(first.element.bits, second.element.bits) <= 8:
        sums = first_table[:, None] + second_table[None, :]
        results = np.floor_divide(2 * sums + (1 << shift), 2 << shift)
        AddReference(first, second, output, *limits, np.clip(results, *limits), sums < 0).prove(where, constants)
    return constants


def _exponent(where: str, tensor: Tensor) -> int:
    fraction, exponent = math.frexp(tensor.scale)
    if fraction != 0.5 or tensor.zero_point:
        raise GraphError(
            f"{where}: tensor {tensor.index} has scale {tensor.scale} and zero point {tensor.zero_point}; in binary "
            "fixed point a scale is a power of two and the zero point is 0"
        )
    return exponent - 1
