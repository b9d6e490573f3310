"""MAXIMUM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph.extremum_operator import ExtremumOperator, read_extremum
from ..readers.tflite_reader import TfliteForm


@dataclass(frozen=True, eq=False)
class Maximum(ExtremumOperator):
    """MAXIMUM of two computed tensors, of which one may be repeated over the other: of the integers as they are."""

    KIND: ClassVar[str] = "MAXIMUM"


TFLITE = (TfliteForm("MAXIMUM", "MaximumMinimumOptions", lambda reader: read_extremum(reader, Maximum)),)
