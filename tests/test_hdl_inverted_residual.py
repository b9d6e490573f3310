"""The inverted residual block with and without expansion, residual and stride, against the golden model of the same
block: data and interval exact."""

import numpy as np
import pytest
from amaranth.hdl import Shape, signed, unsigned
from circuits import requantization_beats, weight_beats
from elements import random_elements

from mbconv.generators.constants.add_tables import add_constants
from mbconv.generators.constants.mac_constants import MacConstants, mac_constants
from mbconv.generators.graph.graph import Element, Graph
from mbconv.generators.readers.block import parse_block
from mbconv.generators.stages.network import build_network
from mbconv.hdl.add_constants import AddConstants
from mbconv.hdl.inverted_residual import DepthwiseStage, InvertedResidual, PointwiseStage, Residual
from mbconv.hdl.requantize import RequantizeFormat
from mbconv.hdl.window_geometry import WindowGeometry
from mbconv.sim.bench.bench import BenchFailure, Case, Expected, Run, run_cases, tensor_beats
from mbconv.sim.golden import model as golden

FRAMES = 4
SMALL = "height=5,width=6,channels=4"
FIXED = "numbers=fixed,activation_bits=6,weight_bits=5"


def shape_of(element: Element) -> Shape:
    return signed(element.bits) if element.signed else unsigned(element.bits)


def stages_of(
    graph: Graph,
    constants: dict[str, MacConstants],
    foldings: dict[str, tuple[int, int]],
    lanes: dict[str, int],
    *,
    ample: bool,
) -> dict[str, PointwiseStage | DepthwiseStage | None]:
    """The stages' parameters. Where ``ample``, ring and queues hold a whole frame and no cycle is lost."""
    stages: dict[str, PointwiseStage | DepthwiseStage | None] = {"expansion": None}
    for operator, (name, found) in zip(graph.operators, constants.items(), strict=False):
        source = graph.tensors[operator.inputs[0]]
        common = {
            "weight_shape": signed(found.weight_bits),
            "format": found.requantization.format,
            "lanes": lanes[name],
            "queue": source.height * source.width * -(-source.channels // lanes[source.name]) if ample else 0,
        }
        if name == "depthwise":
            pads = operator.padding
            padding = (pads.top, pads.bottom, pads.left, pads.right)
            geometry = WindowGeometry(source.height, source.width, operator.kernel, operator.strides, padding)
            taps = foldings[name][0]
            capacity = geometry.minimum_capacity(taps) + (geometry.pixels if ample else 0)
            stages[name] = DepthwiseStage(
                geometry,
                channel_folding=foldings[name][1],
                taps=taps,
                pad_value=source.zero_point,
                capacity=geometry.round_capacity(capacity, taps),
                **common,
            )
        else:
            stages[name] = PointwiseStage(found.weights.shape[0], *foldings[name], **common)
    return stages


def block_case(
    spec: str,
    foldings: dict[str, tuple[int, int]],
    lanes: dict[str, int],
    *,
    ample: bool = True,
    least_delay: bool = False,
) -> Case:
    """The block of a ``block:inverted_residual`` spec.

    Args:
        foldings: of each stage, Pi × Po or K × P.
        lanes: of the streams, by the tensor that they carry: input, expansion, depthwise, projection.
        ample: with rings and queues of a whole frame, and the exact interval; else with the least.
        least_delay: the residual's delay is the least that does not deadlock, and the interval is not checked.
    """
    graph = parse_block(f"block:inverted_residual,{spec}")
    network = build_network(graph)
    nodes = {graph.tensors[node.output].name: node for node in network.nodes}
    constants = {
        name: mac_constants(network, node, lanes=lanes[name], interval=1) for name, node in nodes.items() if node.is_mac
    }
    stages = stages_of(graph, constants, foldings, lanes, ample=ample)
    source, output = (graph.tensors[index] for index in (*graph.inputs, *graph.outputs))
    make = dict(data_shape=shape_of(source.element), channels=source.channels, lanes=lanes["input"], **stages)
    name = f"{spec}, foldings {foldings}, lanes {lanes}, {'ample' if ample else 'least'} buffers"
    if "add" in nodes:
        residual = Residual(
            add_constants(nodes["add"].operator, graph),
            shape_of(output.element),
            name="add_" + "".join(letter if letter.isalnum() else "_" for letter in name),
        )
        block = InvertedResidual(**make, residual=residual)
        if least_delay:
            delayed = Residual(residual.constants, residual.output, block.least_delay, residual.name)
            block, name = InvertedResidual(**make, residual=delayed), f"{name}, delay of {block.least_delay}"
    else:
        block = InvertedResidual(**make)
    rng = np.random.default_rng([len(spec), *lanes.values()])
    x = random_elements(rng, shape_of(source.element), (FRAMES, *source.shape[1:]))
    golden_frames = [golden.run(graph, {source.index: frame[None].astype(source.element.dtype)}) for frame in x]
    expected = np.stack([frame[output.index][0] for frame in golden_frames]).astype(np.int64)
    assert np.unique(expected).size > 8, "an output that hardly moves verifies nothing"
    inputs = {"i": tensor_beats(x, lanes["input"])[0]}
    for stage, found in constants.items():
        requantization = found.requantization
        inputs[f"{stage}_weights"] = weight_beats(found.weights, *foldings[stage])
        inputs[f"{stage}_requantization"] = requantization_beats(
            requantization.format, requantization.words, lanes[stage]
        )
    return Case(
        name,
        block,
        inputs,
        {"o": Expected.tensor(expected, lanes["projection"])},
        FRAMES,
        interval=block.cycles_per_frame if ample and not least_delay else None,
        latency=one_pixel_latency(block) if x[0].size == source.channels else None,
    )


def one_pixel_latency(block: InvertedResidual) -> int:
    """Cycles from the first to the last beat of a map of one pixel."""
    projection = block.mac_stages["projection"].mac
    drain = (projection.blocks - 1) * projection.steps + (projection.result.last_beats - 1) * projection.interval
    return -(-block.channels // block.lanes) - 1 + block.latency + drain


def ones(**lanes: int) -> dict[str, int]:
    return {"input": 1, "expansion": 1, "depthwise": 1, "projection": 1} | lanes


def foldings(depthwise: tuple[int, int], projection: tuple[int, int], expansion: tuple[int, int] | None = None):
    first = {} if expansion is None else {"expansion": expansion}
    return first | {"depthwise": depthwise, "projection": projection}


PAIRS = ones(input=2, expansion=2, depthwise=2, projection=2)
RESIDUAL = f"{SMALL},expansion=3"
USUAL = foldings((3, 4), (4, 2), (2, 2))


def every_kind() -> list[Case]:
    """t > 1 and t = 1, with and without the residual, strides; both number systems; the least that works."""
    return [
        block_case(RESIDUAL, USUAL, ones(depthwise=2)),
        block_case(f"{SMALL},expansion=1", foldings((3, 2), (2, 2)), ones()),
        block_case(
            f"{RESIDUAL},output_channels=7",
            foldings((3, 6), (6, 3), (4, 3)),
            ones(expansion=3, depthwise=2, projection=3),
        ),
        block_case(f"{RESIDUAL},stride=2", foldings((3, 4), (4, 4), (2, 4)), PAIRS),
        block_case(f"{RESIDUAL},{FIXED}", USUAL, ones(depthwise=2)),
        block_case(RESIDUAL, USUAL, PAIRS, ample=False, least_delay=True),
        # a map of one pixel: the exact latency
        block_case("height=1,width=1,channels=5,expansion=2", foldings((9, 2), (4, 2), (2, 2)), ones(depthwise=2)),
        block_case("height=1,width=1,channels=7,expansion=1", foldings((1, 4), (2, 3)), ones(), ample=False),
    ]


def foldings_and_buffers() -> list[Case]:
    return [
        # the slowest is in turn the depthwise stage, the projection, the stream; the expansion above
        block_case(RESIDUAL, foldings((1, 4), (4, 2), (4, 4)), ones(expansion=4)),
        block_case(RESIDUAL, foldings((9, 4), (4, 1), (4, 4)), ones(expansion=4, depthwise=4)),
        block_case(
            RESIDUAL, foldings((9, 12), (12, 4), (4, 12)), ones(input=4, expansion=12, depthwise=12, projection=4)
        ),
        block_case(RESIDUAL, USUAL, PAIRS),
        # foldings that divide nothing
        block_case(RESIDUAL, foldings((3, 5), (5, 3), (3, 5)), ones(expansion=5, depthwise=5)),
        # t = 1 without the residual; strides of both axes and of one; another kernel
        block_case(f"{SMALL},expansion=1,output_channels=6", foldings((1, 2), (4, 2)), PAIRS),
        block_case(f"{SMALL},expansion=1,stride=2", foldings((9, 2), (2, 1)), ones(depthwise=2)),
        block_case(f"{RESIDUAL},stride=2", foldings((1, 2), (1, 1), (2, 2)), ones()),
        block_case(f"{RESIDUAL},stride=2x1,output_channels=5", foldings((3, 3), (6, 1), (2, 2)), ones()),
        block_case(f"{RESIDUAL},kernel=5", foldings((5, 3), (6, 2), (2, 2)), ones()),
        # binary fixed point with a stride, and of more bits
        block_case(f"{RESIDUAL},{FIXED},stride=2", foldings((9, 2), (4, 2), (4, 2)), PAIRS),
        block_case(
            f"{SMALL},expansion=1,numbers=fixed,activation_bits=10,weight_bits=7", foldings((3, 2), (2, 2)), ones()
        ),
        # maps of few pixels
        block_case("height=1,width=4,channels=5,expansion=2", foldings((3, 3), (3, 2), (2, 3)), ones()),
        block_case("height=3,width=1,channels=6,expansion=2", foldings((1, 4), (4, 2), (3, 2)), ones()),
        # the least rings, no queues, and the least delay: slower, and never a deadlock
        *(block_case(RESIDUAL, foldings((k, 4), (4, 2), (2, 2)), PAIRS, ample=False) for k in (1, 3)),
        block_case(RESIDUAL, foldings((1, 4), (4, 2), (2, 2)), PAIRS, ample=False, least_delay=True),
        block_case(f"{SMALL},expansion=1", foldings((1, 1), (4, 1)), ones(), ample=False, least_delay=True),
        block_case(f"{RESIDUAL},kernel=5", foldings((5, 3), (6, 2), (2, 2)), ones(), least_delay=True),
        block_case(f"{RESIDUAL},stride=2,{FIXED}", foldings((3, 4), (4, 4), (2, 4)), PAIRS, ample=False),
    ]


def test_every_kind():
    run_cases(every_kind())


@pytest.mark.slow
def test_foldings_and_buffers():
    run_cases(foldings_and_buffers())


@pytest.mark.slow
def test_the_least_delay_is_the_least(monkeypatch):
    """With a beat less than the constructor accepts, the block waits for ever."""
    least = InvertedResidual.least_delay.fget
    monkeypatch.setattr(InvertedResidual, "least_delay", property(lambda block: least(block) - 1))
    case = block_case(RESIDUAL, USUAL, PAIRS, ample=False, least_delay=True)
    with pytest.raises(BenchFailure, match="a deadlock"):
        run_cases([case], runs=[Run()])


def test_cost_and_delay():
    block = block_case(RESIDUAL, USUAL, ones(depthwise=2)).component
    geometry = block.geometry
    assert block.multipliers == 2 * 2 + 3 * 4 + 4 * 2
    assert block.cycles_per_frame == geometry.pixels * max(2 * 6, 3 * 3, 3 * 2)
    # a kernel's lower row and a pixel beyond the first, less the beat in the fork; 4 beats a pixel
    assert block.least_delay == (geometry.width + 2) * 4 - 1
    assert block.delay == block.sufficient_delay > block.least_delay
    parts = [*block.stages.values(), *block.queues.values()]
    assert block.memory_bits == sum(part.memory_bits for part in parts)
    assert block.queues["input", 1].memory_bits == block.delay * 8


GEOMETRY = WindowGeometry(5, 6, (3, 3), (1, 1), (1, 1, 1, 1))
FORMAT = RequantizeFormat(20, 20, 0, 6, 0, 0, -128, 127, signed(8))
STAGE = {"weight_shape": signed(8), "format": FORMAT, "lanes": 1}
CONSTANTS = AddConstants((0,) * 256, (0,) * 256, 0, 0, 0, 0, -128, 127)


def plain_block(geometry=GEOMETRY, outputs=4, lanes=1, delay=None) -> InvertedResidual:
    """A block without an expansion, with a residual."""
    return InvertedResidual(
        data_shape=signed(8),
        channels=4,
        lanes=lanes,
        expansion=None,
        depthwise=DepthwiseStage(geometry, 4, 3, **(STAGE | {"lanes": 2})),
        projection=PointwiseStage(outputs, 4, 1, **STAGE),
        residual=Residual(CONSTANTS, signed(8), delay),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outputs": 5}, "tensors of as many channels, not 4 and 5"),
        ({"lanes": 2}, "streams of as many lanes, not 2 and 1"),
        (
            {"geometry": WindowGeometry(6, 6, (3, 3), (2, 2), (0, 1, 0, 1))},
            r"maps of the same size, not \(6, 6\) and \(3, 3\)",
        ),
        ({"delay": 30}, "a residual delay of 30 beats deadlocks: this block needs 31"),
        ({"lanes": 3}, "3 input lanes do not divide the 4 channels a cycle"),
    ],
)
def test_refuses(change, message):
    assert plain_block().least_delay == plain_block(delay=31).delay == 31
    with pytest.raises(ValueError, match=message):
        plain_block(**change)
