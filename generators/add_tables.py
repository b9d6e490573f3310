"""The constants of an addition circuit: tables of its operands, found by search and proved equal to the reference.

TFLite's ADD scales each operand by a rounded multiplier, adds, and rounds twice on the way back. Over its 256 × 256
pairs of operands that is a matrix of results, and any two tables will do whose sums fall between the right multiples of
2^shift. Tried in this order, the cheapest is taken:

lines
    both tables are straight lines, multiplications by constants of few adders; always so in binary fixed point.
tables
    integers that solve all pairs' inequalities (:mod:`~mbconv.generators.difference_constraints`). Real ones that do so
    exist with integers of 8 bits below the point: a contradiction would be a cycle through at most 256 strict
    inequalities, each of which loses one unit of the 2^8 that the cycle has.
signed tables
    where halves of both signs contradict each other (scales in ratios of small integers), with a rounding constant for
    negative sums that is a little less.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import signed, unsigned

from mbconv.hdl.add_constants import AddConstants
from mbconv.hdl.value_tables import ValueTables

from .difference_constraints import UNBOUNDED, additive_tables
from .graph import Add, Element, Graph, GraphError, Tensor
from .step_function import activation_limits, multiply_by_quantized_multiplier, quantize_multiplier

_LEFT_SHIFT = 20
_LUTS_PER_BLOCK = 200
"""The price of a block of memory of 256 × 16 bits: an iCE40UP5K has one for 176 four-input tables, an ECP5 for 400."""
_TABLE_BITS = 8  # below the point, with which tables exist if any do
_LINE_BITS = 24  # more cost more than a memory
_TIGHTEST = 1024  # of the inequalities are tested first


@dataclass(frozen=True, eq=False)
class Reference:
    """What an affine ADD computes: ``results`` ``[x1, x2]`` of all pairs, and which of its sums are negative."""

    first: Tensor
    second: Tensor
    output: Tensor
    minimum: int
    maximum: int
    results: np.ndarray
    negative: np.ndarray

    def bounds(self, shift: int) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest sum of table entries for each pair, its result being the sum shifted right."""
        least, greatest = self.results << shift, ((self.results + 1) << shift) - 1
        return (
            np.where(self.results > self.minimum, least, -UNBOUNDED),
            np.where(self.results < self.maximum, greatest, UNBOUNDED),
        )


def add_constants(op: Add, graph: Graph) -> AddConstants:
    """The cheapest constants of an ADD that are proved equal to the reference for every pair of operands.

    Affine operands have at most 8 bits and all pairs are compared; binary fixed point has up to 16, where the circuit's
    exact sum and one rounding shift are the definition (and all pairs are compared up to 8 bits).

    Raises:
        GraphError: no constants of this circuit reproduce the reference, or the operands are too wide.
    """
    first, second = (graph.tensors[index] for index in op.inputs)
    output = graph.tensors[op.outputs[0]]
    limits = activation_limits(op.activation, output.element, output.scale, output.zero_point)
    where = f"operator {op.index} ADD"
    if op.numbers == "fixed":
        return _fixed(where, first, second, output, limits)
    for tensor in (first, second):
        if tensor.element.bits > 8:
            raise GraphError(f"{where}: tensor {tensor.index} is {tensor.element}; operands of at most 8 bits add up")
    reference = _reference(first, second, output, limits)
    solutions = [*_lines(reference), *_tables(reference)] or list(_signed_tables(reference))
    if not solutions:
        raise GraphError(
            f"{where}: no tables of its operands give the reference's sums for scales {first.scale:.6g} and "
            f"{second.scale:.6g} into {output.scale:.6g}; quantise it again with another scale"
        )
    constants = min(solutions, key=lambda found: _cost(found, first.element, second.element))
    prove(where, constants, reference)
    return constants


def prove(where: str, constants: AddConstants, reference: Reference) -> None:
    """Compare circuit and reference for every pair of operands.

    Raises:
        GraphError: they differ; the message names the operands and both results.
    """
    first, second = reference.first.element, reference.second.element
    x1, x2 = _values(first)[:, None], _values(second)[None, :]
    found = constants.compute(x1, x2, signed=(first.signed, second.signed))
    if not np.array_equal(found, reference.results):
        row, column = np.argwhere(found != reference.results)[0]
        raise GraphError(
            f"{where}: operands {x1[row, 0]} and {x2[0, column]} give {found[row, column]} in the circuit and "
            f"{reference.results[row, column]} in the reference"
        )


def _values(element: Element) -> np.ndarray:
    return np.arange(element.minimum, element.maximum + 1, dtype=np.int64)


def _reference(first: Tensor, second: Tensor, output: Tensor, limits: tuple[int, int]) -> Reference:
    """TFLite's ``AddElementwise`` for all pairs, its multipliers as ``add.cc`` prepares them."""
    twice_largest = 2.0 * max(first.scale, second.scale)
    scaled = []
    for tensor in (first, second):
        q, exponent = quantize_multiplier(tensor.scale / twice_largest)
        raw = (_values(tensor.element) - tensor.zero_point) << _LEFT_SHIFT
        scaled.append(multiply_by_quantized_multiplier(raw, q, exponent))
    sums = scaled[0][:, None] + scaled[1][None, :]
    q, exponent = quantize_multiplier(twice_largest / ((1 << _LEFT_SHIFT) * output.scale))
    results = multiply_by_quantized_multiplier(sums, q, exponent) + output.zero_point
    return Reference(first, second, output, *limits, np.clip(results, *limits), sums < 0)


def _lines(reference: Reference) -> Iterator[AddConstants]:
    """Straight lines near the real slopes: the cheapest of the least shift that has any, and of the next few."""
    first, second = reference.first, reference.second
    slopes = first.scale / reference.output.scale, second.scale / reference.output.scale
    x1, x2 = _values(first.element)[:, None], _values(second.element)[None, :]
    ideal = slopes[0] * (x1 - first.zero_point) + slopes[1] * (x2 - second.zero_point) + reference.output.zero_point
    excess = ideal + 0.5 - reference.results
    below = _tightest(np.where(reference.results > reference.minimum, excess, np.inf))
    above = _tightest(np.where(reference.results < reference.maximum, 1 - excess, np.inf))
    found_at = None
    for shift in range(_LINE_BITS + 1):
        if found_at is not None and shift > found_at + 3:
            return
        least, greatest = reference.bounds(shift)
        nearest = [round(math.ldexp(slope, shift)) for slope in slopes]
        for m1 in range(max(0, nearest[0] - 2), nearest[0] + 3):
            for m2 in range(max(0, nearest[1] - 2), nearest[1] + 3):
                line = m1 * x1 + m2 * x2
                flat = line.ravel()
                low = (least.ravel()[below] - flat[below]).max(initial=-UNBOUNDED)
                high = (greatest.ravel()[above] - flat[above]).min(initial=UNBOUNDED)
                if low > high:
                    continue
                low, high = int((least - line).max()), int((greatest - line).min())
                if low > high:
                    continue
                found_at = shift if found_at is None else found_at
                constant = min(max(low, 0), high)
                yield AddConstants(
                    first=tuple(m1 * x1[:, 0]),
                    second=tuple(m2 * x2[0]),
                    positive=constant,
                    negative=constant,
                    shift=shift,
                    zero_point=0,
                    minimum=reference.minimum,
                    maximum=reference.maximum,
                )


def _tightest(slack: np.ndarray) -> np.ndarray:
    """Flat indices of the inequalities with the least slack."""
    flat = slack.ravel()
    count = min(_TIGHTEST, flat.size - 1)
    nearest = np.argpartition(flat, count)[:count]
    return nearest[np.isfinite(flat[nearest])]


def _tables(reference: Reference) -> Iterator[AddConstants]:
    """Tables with the least shift that has any."""
    best = additive_tables(*reference.bounds(_TABLE_BITS))
    if best is None:
        return
    low, high = -1, _TABLE_BITS  # twice the tables of a shift are some of the next, so bisection finds the least
    while high - low > 1:
        middle = (low + high) // 2
        found = additive_tables(*reference.bounds(middle))
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


def _signed_tables(reference: Reference) -> Iterator[AddConstants]:
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
                yield AddConstants(
                    first=tuple(found[0]),
                    second=tuple(found[1]),
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
        circuit = ValueTables(_shape(element), [entry + constant for entry in table], 1, "cost")
        cost += circuit.adders * circuit.bits
        if circuit.memory_bits:
            cost += _LUTS_PER_BLOCK * -(-circuit.bits // 16)
    return cost


def _shape(element: Element):
    return signed(element.bits) if element.signed else unsigned(element.bits)


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
        _values(tensor.element) << (exponent - finest)
        for tensor, exponent in zip((first, second), exponents[:2], strict=True)
    )
    constants = AddConstants(
        tuple(first_table), tuple(second_table), half, half, shift, 0, minimum=limits[0], maximum=limits[1]
    )
    if max(first.element.bits, second.element.bits) <= 8:
        sums = first_table[:, None] + second_table[None, :]
        results = np.floor_divide(2 * sums + (1 << shift), 2 << shift)
        prove(where, constants, Reference(first, second, output, *limits, np.clip(results, *limits), sums < 0))
    return constants


def _exponent(where: str, tensor: Tensor) -> int:
    fraction, exponent = math.frexp(tensor.scale)
    if fraction != 0.5 or tensor.zero_point:
        raise GraphError(
            f"{where}: tensor {tensor.index} has scale {tensor.scale} and zero point {tensor.zero_point}; in binary "
            "fixed point a scale is a power of two and the zero point is 0"
        )
    return exponent - 1
