"""The parameters of a requantisation circuit, its words, and what it computes, in numpy.

One object gives the model (:meth:`RequantizeFormat.compute`), the memory's contents (:meth:`RequantizeFormat.pack`) and
the circuit (:class:`~mbconv.hdl.requantize.Requantize`), so that they cannot disagree on a width.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from amaranth.hdl import Shape, signed, unsigned

from .layouts import StructLayout


def signed_bits(low: int, high: int) -> int:
    """Bits of the narrowest two's complement number (at least one bit) that holds every integer of [low, high]."""
    return 1 + max(int(low if low >= 0 else ~low).bit_length(), int(high if high >= 0 else ~high).bit_length())


@dataclass(frozen=True, eq=False)
class RequantizeWords:
    """One requantisation word for each of C channels: int64 arrays ``[C]``, zero (multiplier: one) where the format
    has no field."""

    bias: np.ndarray
    multiplier: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    shift: np.ndarray

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, np.asarray(getattr(self, field.name), np.int64))

    def __len__(self) -> int:
        return self.bias.size

    def __getitem__(self, channels: slice | np.ndarray) -> RequantizeWords:
        return RequantizeWords(*(getattr(self, field.name)[channels] for field in fields(self)))

    def columns(self, dimensions: int) -> RequantizeWords:
        """The same with shape ``[C, 1, …]`` of ``dimensions`` axes, to go with accumulators ``[C, …]``."""
        shape = (-1, *[1] * (dimensions - 1))
        return RequantizeWords(*(getattr(self, field.name).reshape(shape) for field in fields(self)))


@dataclass(frozen=True)
class RequantizeFormat:
    """Widths and constants of a requantisation.

    ::

        s = accumulator + bias                                       (sum_bits, two's complement)
        p = s · multiplier + (negative if s < 0 else positive)
        n = shift + word.shift
        result = clamp(((p + half) >> n) + zero_point, minimum, maximum)      half = 2^(n−1), or 0 when n = 0

    ``positive`` and ``negative`` are corrections to rounding half up, small beside ``half``. They are parameters of the
    stage, or fields of the word when ``constant_bits`` > 0.

    Args:
        accumulator_bits, bias_bits: signed.
        multiplier_bits: of the word's multiplier, unsigned; 0 makes the multiplier 1 and the circuit a shift.
        shift: least right shift.
        shift_bits: of the word's further right shift, 0 to 5; needs ``shift`` ≥ 1.
        zero_point, minimum, maximum: of the output.
        output: an element's shape.
        constant_bits: of the word's positive and negative constants, signed; 0: there are none.
        positive, negative: the constants of all channels when ``constant_bits`` is 0.
        sum_bits: of s, signed; by default what holds any accumulator plus any bias.

    Raises:
        ValueError: a width that no circuit is built for, or limits outside the output's range.
    """

    accumulator_bits: int
    bias_bits: int
    multiplier_bits: int
    shift: int
    shift_bits: int
    zero_point: int
    minimum: int
    maximum: int
    output: Shape
    constant_bits: int = 0
    positive: int = 0
    negative: int = 0
    sum_bits: int | None = None

    def __post_init__(self) -> None:
        if self.sum_bits is None:
            object.__setattr__(self, "sum_bits", max(self.accumulator_bits, self.bias_bits) + 1)
        object.__setattr__(self, "output", Shape.cast(self.output))
        for name, low, high in (
            ("accumulator_bits", 2, 40),
            ("bias_bits", 1, 40),
            ("sum_bits", 1, 41),
            ("multiplier_bits", 0, 31),
            ("constant_bits", 0, 48),
            ("shift", 0, 48),
            ("shift_bits", 0, 5),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be {low} to {high}, not {getattr(self, name)}")
        if self.shift_bits and not self.shift:
            raise ValueError("a shift of each channel's own needs a common shift of at least 1")
        if self.constant_bits and (self.positive or self.negative):
            raise ValueError("rounding constants are parameters or fields of the word, not both")
        if self.sum_bits + self.multiplier_bits > 60 or self.shift + (1 << self.shift_bits) > 62:
            raise ValueError(
                f"a {self.sum_bits} × {self.multiplier_bits}-bit product shifted by up to "
                f"{self.shift + (1 << self.shift_bits) - 1} leaves 64-bit arithmetic"
            )
        for name in ("positive", "negative"):
            if signed_bits(getattr(self, name), getattr(self, name)) > 48:
                raise ValueError(f"the rounding constant {name} = {getattr(self, name)} exceeds 48 bits")
        low, high = _range(self.output)
        if not low <= self.minimum <= self.maximum <= high:
            raise ValueError(f"limits {self.minimum}..{self.maximum} are no part of the output's range {low}..{high}")
        if abs(self.zero_point) > 1 << 16:
            raise ValueError(f"the zero point must lie within ±65536, not be {self.zero_point}")

    @property
    def word_layout(self) -> StructLayout:
        """The fields of a word that have at least one bit, in the order of :class:`RequantizeWords`."""
        fields = {
            "bias": (self.bias_bits, signed),
            "multiplier": (self.multiplier_bits, unsigned),
            "positive": (self.constant_bits, signed),
            "negative": (self.constant_bits, signed),
            "shift": (self.shift_bits, unsigned),
        }
        return StructLayout({name: shape(bits) for name, (bits, shape) in fields.items() if bits})

    @property
    def word_bits(self) -> int:
        return self.word_layout.size

    def words(self, bias, multiplier=1, positive=0, negative=0, shift=0) -> RequantizeWords:
        """Words of the given fields, broadcast to the bias's length.

        Raises:
            ValueError: a value that its field does not hold.
        """
        bias = np.atleast_1d(np.asarray(bias, np.int64))
        values = [
            bias,
            *(np.broadcast_to(np.asarray(v, np.int64), bias.shape) for v in (multiplier, positive, negative, shift)),
        ]
        words = RequantizeWords(*values)
        layout = self.word_layout.members
        for field in fields(words):
            array = getattr(words, field.name)
            shape = layout.get(field.name)
            absent = 1 if field.name == "multiplier" else 0
            low, high = _range(shape) if shape is not None else (absent, absent)
            if array.size and (array.min() < low or array.max() > high):
                raise ValueError(f"{field.name} {array.min()}..{array.max()} does not fit its field's {low}..{high}")
        return words

    def pack(self, words: RequantizeWords) -> list[int]:
        """The memory's contents: one non-negative integer of ``word_bits`` for each channel."""
        packed = [0] * len(words)
        offset = 0
        for name, shape in self.word_layout.members.items():
            mask = (1 << shape.width) - 1
            packed = [
                word | (int(value) & mask) << offset for word, value in zip(packed, getattr(words, name), strict=True)
            ]
            offset += shape.width
        return packed

    def compute(self, accumulators: np.ndarray, words: RequantizeWords) -> np.ndarray:
        """What the circuit computes, bit for bit, for accumulators ``[C, …]`` and the words of C channels: int64
        ``[C, …]``."""
        accumulators = np.asarray(accumulators, np.int64)
        words = words.columns(accumulators.ndim)
        s = wrap(wrap(accumulators, self.accumulator_bits) + words.bias, self.sum_bits)
        positive, negative = words.positive + self.positive, words.negative + self.negative
        p = s * words.multiplier + np.where(s < 0, negative, positive)
        n = self.shift + words.shift
        half = (np.int64(1) << n) >> 1
        return np.clip(((p + half) >> n) + self.zero_point, self.minimum, self.maximum)


def wrap(values: np.ndarray, bits: int) -> np.ndarray:
    """Two's complement of ``bits`` bits."""
    half = np.int64(1) << (bits - 1)
    return ((values + half) & ((np.int64(1) << bits) - 1)) - half


def _range(shape: Shape) -> tuple[int, int]:
    if shape.signed:
        return -(1 << (shape.width - 1)), (1 << (shape.width - 1)) - 1
    return 0, (1 << shape.width) - 1
