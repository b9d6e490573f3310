"""Beats to payloads and back."""

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned
from amaranth.lib.data import ArrayLayout, StructLayout

from mbconv.sim.circuits.testbench_data import Payloads, element_at, element_value, pack, tensor_beats, unpack


def test_lane_0_is_lowest():
    assert pack(ArrayLayout(signed(4), 3), [[-1, 0, 2]]) == [0x20F]


@pytest.mark.parametrize("element", [signed(8), unsigned(8), signed(5), unsigned(16), signed(41)], ids=repr)
@pytest.mark.parametrize("lanes", [(), (1,), (3,), (2, 5)], ids=str)
def test_unpack_inverts_pack(element, lanes):
    half = 1 << element.width - 1
    low = -half if element.signed else 0
    values = np.random.default_rng(3).integers(low, low + 2 * half, (7, *lanes))
    shape = element
    for length in reversed(lanes):
        shape = ArrayLayout(shape, length)
    assert np.array_equal(unpack(shape, pack(shape, values)), values)


def test_structures():
    shape = ArrayLayout(StructLayout({"bias": signed(4), "shift": unsigned(3)}), 2)
    payloads = pack(shape, {"bias": np.array([[-1, 2]]), "shift": np.array([[5, 7]])})
    assert payloads == [0xF | 5 << 4 | 2 << 7 | 7 << 11]
    path, offset, leaf = element_at(shape, 12)
    assert (path, element_value(payloads[0], offset, leaf)) == ("[1].shift", 7)
    path, offset, leaf = element_at(shape, 0)
    assert (path, element_value(payloads[0], offset, leaf)) == ("[0].bias", -1)


def test_wide_elements():
    assert pack(unsigned(70), [1 << 69]) == [1 << 69]


@pytest.mark.parametrize(
    ("shape", "values", "message"),
    [
        (signed(4), [8], "8 to 8 do not fit"),
        (unsigned(4), [-1], "do not fit"),
        (ArrayLayout(signed(4), 2), [[1, 2, 3]], r"dimensions \(1, 2\) are needed, not \(1, 3\)"),
        (signed(4), [0.5], "integers, not float64"),
        (unsigned(4), Payloads([16]), "0x10 does not fit 4 bits"),
    ],
)
def test_refused(shape, values, message):
    with pytest.raises(ValueError, match=message):
        pack(shape, values)


def test_tensor_in_groups_of_lanes():
    beats, mask = tensor_beats(np.arange(10).reshape(1, 2, 5), 4, filler=-7)
    assert beats.tolist() == [[0, 1, 2, 3], [4, -7, -7, -7], [5, 6, 7, 8], [9, -7, -7, -7]]
    assert mask.sum() == 10
    assert mask[1].tolist() == [True, False, False, False]
