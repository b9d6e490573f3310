"""The two ends of a design's AXI4-Stream edge as circuits: right packets and wrong ones, data and cycles exact."""

import re

import numpy as np
import pytest
from amaranth.hdl import Shape, signed, unsigned
from axi_packets import frame_beats, packet_beats
from elements import random_elements

from mbconv.generators.timing.edge_timing import InputEdgeTiming, OutputEdgeTiming
from mbconv.hdl.axi_stream import AxiFrame, axi_payload, data_bytes_for, element_bytes
from mbconv.hdl.axi_stream_input import AxiStreamInput
from mbconv.hdl.axi_stream_output import AxiStreamOutput
from mbconv.sim.circuits.testbench import Case, Expected, Payloads, pack, run_cases, tensor_beats

FRAMES = 4

EDGES = [  # shape, channels, pixels, lanes, bytes of TDATA
    (signed(8), 3, 20, 3, 4),
    (signed(8), 3, 20, 1, 1),
    (signed(8), 3, 7, 3, 16),
    (signed(8), 4, 10, 4, 4),
    (signed(8), 5, 9, 2, 8),
    (unsigned(8), 8, 6, 8, 2),
    (signed(16), 3, 8, 2, 4),
    (signed(12), 5, 5, 5, 2),
    (unsigned(9), 1, 11, 1, 8),
    (unsigned(4), 7, 6, 3, 2),
    (signed(8), 10, 1, 10, 4),
    (signed(8), 1, 1, 1, 1),
    (signed(8), 2, 3, 2, 32),
    (signed(8), 6, 9, 1, 1),
]


def tensors(shape: Shape, channels: int, pixels: int, frames: int = FRAMES) -> np.ndarray:
    return random_elements(np.random.default_rng([channels, pixels]), shape, (frames, pixels, channels))


def name_of(shape: Shape, channels: int, pixels: int, lanes: int, data_bytes: int) -> str:
    return f"{pixels} pixels of {channels} {shape}, {lanes} lanes, {data_bytes} bytes"


def input_case(*edge) -> Case:
    shape, channels, pixels, lanes, _ = edge
    circuit = AxiStreamInput(*edge)
    x = tensors(shape, channels, pixels)
    beats = [beat for frame in x for beat in frame_beats(frame, circuit.frame)]
    valid = InputEdgeTiming.of(circuit).run(np.zeros(len(beats), np.int64)).reshape(FRAMES, -1)
    assert circuit.cycles_per_frame == valid[-1, -1] - valid[-2, -1]
    return Case(
        f"input of {name_of(*edge)}",
        circuit,
        {"i": Payloads(beats)},
        {"o": Expected.tensor(x, lanes), "marks": [0] * FRAMES},
        FRAMES,
        interval=circuit.cycles_per_frame,
        latency=int(max(valid[0, -1], circuit.frame.beats + 1)),  # the mark comes two cycles after the last beat
    )


def test_input():
    run_cases([input_case(*edge) for edge in EDGES])


def output_case(*edge, queue_depth: int = 2) -> Case:
    shape, channels, pixels, lanes, _ = edge
    circuit = AxiStreamOutput(*edge, queue_depth)
    x = tensors(shape, channels, pixels)
    marks = [int(frame % 3 == 1) for frame in range(FRAMES)]
    expected = [
        beat for frame, mark in zip(x, marks, strict=True) for beat in frame_beats(frame, circuit.frame, user=mark)
    ]
    given, _ = tensor_beats(x, lanes, random_elements(np.random.default_rng(1), shape, (97,)))
    valid = OutputEdgeTiming.of(circuit).run(np.zeros(len(given), np.int64)).reshape(FRAMES, -1)
    assert circuit.cycles_per_frame == valid[-1, -1] - valid[-2, -1]
    return Case(
        f"output of {name_of(*edge)}, {queue_depth} beats waiting",
        circuit,
        {"i": given, "marks": marks},
        {"o": Payloads(expected)},
        FRAMES,
        interval=circuit.cycles_per_frame,
        latency=int(valid[0, -1]),
    )


def test_output():
    run_cases([output_case(*edge) for edge in EDGES])


def test_output_whose_beats_wait():
    run_cases([output_case(*edge, queue_depth=depth) for edge, depth in zip(EDGES, (3, 20, 40, 100), strict=False)])


def wrong_packets_case(*edge, fill: int = 5) -> Case:
    """Random packets, half of them wrong, judged by a model that knows nothing of beats to come."""
    shape, channels, pixels, lanes, data_bytes = edge
    circuit = AxiStreamInput(*edge, fill)
    frame, size = circuit.frame, element_bytes(shape)
    rng = np.random.default_rng([channels, pixels, data_bytes])
    beats, expected, marks = [], [], []
    count = 16
    for number in range(count):
        kinds = ["right", "short", "long", "empty", "long by one", "null byte", "null beat", "null end"]
        kind = kinds[number] if number < len(kinds) else str(rng.choice(kinds))
        length = frame.elements
        match kind:
            case "short":
                length = int(rng.integers(1, max(2, frame.elements)))
            case "empty":
                length = 0
            case "long":
                length += int(rng.integers(1, 3 * frame.elements_per_beat + 2))
            case "long by one":
                length += 1
        elements = random_elements(rng, shape, (length,))
        packet = packet_beats(elements, frame)
        whole = np.resize(np.append(elements, np.full(frame.elements, fill)), frame.elements)
        whole[length:] = fill
        bad = length != frame.elements
        match kind:
            case "null byte":
                place = int(rng.integers(frame.elements))
                byte = place % frame.elements_per_beat * size + int(rng.integers(size))
                beat = place // frame.elements_per_beat
                packet[beat] &= ~(1 << 8 * data_bytes + byte)
                whole[place] = fill
                bad = True
            case "null beat":  # carries nothing: anywhere but at the end it is skipped
                packet.insert(int(rng.integers(len(packet))), int(rng.integers(256)))
            case "null end":  # a beat after the last element's: too long
                packet[-1] &= ~(1 << 9 * data_bytes)
                packet.append(1 << 9 * data_bytes)
                bad = True
        if kind == "null byte" and data_bytes == size and place < frame.elements - 1:
            packet.pop(beat)  # the whole beat would be skipped, the packet be short by one at its end
            elements = np.delete(elements, place)
            whole = np.append(elements, fill)
        beats += packet
        expected.append(whole.reshape(pixels, channels))
        marks.append(int(bad))
    return Case(
        f"wrong packets, {name_of(*edge)}",
        circuit,
        {"i": Payloads(beats)},
        {"o": Expected.tensor(np.stack(expected), lanes), "marks": marks},
        1,
    )


def test_wrong_packets():
    run_cases([wrong_packets_case(*edge) for edge in EDGES])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((96 * 96 * 3, 1, 27648), 1),
        ((96 * 96 * 3, 1, 27647), 2),
        ((224 * 224 * 3, 1, 150528), 1),
        ((10, 2, 10), 2),
        ((10, 2, 9), 4),
        ((10, 1, 1), 16),
        ((1, 1, 1), 1),
    ],
)
def test_data_bytes_for(arguments, expected):
    assert data_bytes_for(*arguments) == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: data_bytes_for(10, 1, 0), "interval must be at least 1, not 0"),
        (lambda: AxiFrame(signed(8), 3, 4, 3), "power of two of bytes, not 3"),
        (lambda: AxiFrame(signed(9), 3, 4, 1), "2 bytes does not fit the 1 of TDATA"),
        (lambda: AxiFrame(signed(17), 3, 4, 4), "not of 17"),
        (lambda: AxiFrame(signed(8), 3, 0, 4), "pixels must be at least 1, not 0"),
        (lambda: AxiStreamInput(signed(8), 3, 4, 3, 4, fill=128), "cannot be filled with 128"),
        (lambda: AxiStreamInput(unsigned(8), 3, 4, 3, 4, fill=-1), "cannot be filled with -1"),
        (lambda: AxiStreamInput(signed(8), 3, 4, 0, 4), "lanes_out must be at least 1, not 0"),
        (lambda: AxiStreamOutput(signed(8), 3, 4, 0, 4), "lanes_in must be at least 1, not 0"),
        (lambda: AxiStreamOutput(signed(8), 3, 4, 3, 4, 1), "a queue of AXI beats holds at least 2, not 1"),
    ],
)
def test_edges_refuse(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_payload_fields():
    assert pack(axi_payload(2, user=True), {"data": [0x1234], "keep": [1], "last": [1], "user": [1]}) == [0xD1234]
