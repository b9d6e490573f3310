"""TFLite's ADD over every pair of its operands, and the sums that a circuit of tables may have for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mbconv.hdl.add_constants import AddConstants

from ..graph.graph import Element, GraphError, Tensor
from .difference_constraints import UNBOUNDED
from .step_function import multiply_by_quantized_multiplier, quantize_multiplier

_LEFT_SHIFT = 20


def element_values(element: Element) -> np.ndarray:
    """All values of an element in ascending order, int64."""
    return np.arange(element.minimum, element.maximum + 1, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class AddReference:
    """What an ADD computes: ``results`` ``[x1, x2]`` of all pairs, and which of its sums are ``negative``."""

    first: Tensor
    second: Tensor
    output: Tensor
    minimum: int
    maximum: int
    results: np.ndarray
    negative: np.ndarray

    def bounds(self, shift: int, pairs: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest sum of table entries for each pair, its result being the sum shifted right; of some pairs
        only, given by flat indices."""
        results = self.results if pairs is None else self.results.ravel()[pairs]
        least, greatest = results << shift, ((results + 1) << shift) - 1
        return (
            np.where(results > self.minimum, least, -UNBOUNDED),
            np.where(results < self.maximum, greatest, UNBOUNDED),
        )

    def prove(self, where: str, constants: AddConstants) -> None:
        """Compare a circuit with the reference for every pair of operands.

        Raises:
            GraphError: they differ; the message names the operands and both results.
        """
        first, second = self.first.element, self.second.element
        x1, x2 = element_values(first)[:, None], element_values(second)[None, :]
        found = constants.compute(x1, x2, signed=(first.signed, second.signed))
        if not np.array_equal(found, self.results):
            row, column = np.argwhere(found != self.results)[0]
            raise GraphError(
                f"{where}: operands {x1[row, 0]} and {x2[0, column]} give {found[row, column]} in the circuit and "
                f"{self.results[row, column]} in the reference"
            )


def affine_reference(
    first: Tensor, second: Tensor, output: Tensor, limits: tuple[int, int], sign: int = 1
) -> AddReference:
    """``AddElementwise`` of TFLite's reference kernels, its multipliers as ``add.cc`` prepares them.

    Args:
        sign: of the second operand. ``sub.cc`` negates its multiplier, not its product: a half rounds the other way.
    """
    twice_largest = 2.0 * max(first.scale, second.scale)
    scaled = []
    for tensor, factor in ((first, 1), (second, sign)):
        q, exponent = quantize_multiplier(tensor.scale / twice_largest)
        raw = (element_values(tensor.element) - tensor.zero_point) << _LEFT_SHIFT
        scaled.append(multiply_by_quantized_multiplier(raw, factor * q, exponent))
    sums = scaled[0][:, None] + scaled[1][None, :]
    q, exponent = quantize_multiplier(twice_largest / ((1 << _LEFT_SHIFT) * output.scale))
    results = multiply_by_quantized_multiplier(sums, q, exponent) + output.zero_point
    return AddReference(first, second, output, *limits, np.clip(results, *limits), sums < 0)
