"""The topologies allow the efficiency that they were chosen for, and training exports what it simulates."""

from datetime import UTC, datetime
from itertools import product

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow  # make slow installs what training needs

from mbconv.generators.graph.graph import GraphError  # noqa: E402
from mbconv.generators.graph.mac_operator import MacOperator  # noqa: E402
from mbconv.generators.readers.tflite_file import read_tflite  # noqa: E402
from mbconv.sim.golden.model import run  # noqa: E402
from mbconv.training import train_digits  # noqa: E402
from mbconv.training.cifar10_networks import V2, V3  # noqa: E402
from mbconv.training.cycle import Cycle, next_time  # noqa: E402
from mbconv.training.depthwise_gradient import depthwise  # noqa: E402
from mbconv.training.folding_bound import best_efficiency, best_interval, cheapest_foldings  # noqa: E402
from mbconv.training.mobilenet import Block, MobileNet, SqueezeExcite, Stage, Topology, mac_count, parameter_count  # noqa: E402
from mbconv.training.quantised_layers import (  # noqa: E402
    ActivationQuantiser,
    QuantisedHardSwish,
    QuantisedLayer,
    QuantisedSqueezeExcite,
)
from mbconv.training.quantised_network import QuantisedMobileNet, file_content, reference_logits  # noqa: E402
from mbconv.training.tflite_writer import TfliteWriter  # noqa: E402
from mbconv.training.warm_start import load_weights, real_bias, real_weights, restore_norms  # noqa: E402


@pytest.mark.parametrize(
    ("topology", "budget", "interval", "efficiency"),
    [
        (train_digits.TOPOLOGY, 16, 4608, 0.91),
        (V2.topology, 64, 294_912, 0.89),
        (V3.topology, 64, 294_912, 0.88),
    ],
)
def test_topologies_allow_high_efficiency(topology, budget, interval, efficiency):
    stages = list(topology.stages())
    found, multipliers = best_interval(stages, budget)
    assert found == interval
    assert sum(multipliers) <= budget
    assert min(multipliers) >= 1
    assert best_efficiency(stages, budget) > efficiency


def test_best_interval_is_the_best_of_all_foldings():
    stages = [
        Stage("pointwise", 4, 5, 3),
        Stage("depthwise", 4, 3, 3, 25),
        Stage("pointwise", 4, 3, 7),
        Stage("pointwise", 1, 7, 2),
    ]
    budget = 13

    def foldings(stage):
        kind, pixels, inputs, outputs, taps = stage
        second = (1, 5, 25) if kind == "depthwise" else range(1, outputs + 1)
        for p, q in product(range(1, inputs + 1), second):
            steps = -(-inputs // p) * (taps // q if kind == "depthwise" else -(-outputs // q))
            yield p * q, pixels * steps

    best = min(
        max(cycles for _, cycles in choice)
        for choice in product(*(set(foldings(stage)) for stage in stages))
        if sum(multipliers for multipliers, _ in choice) <= budget
    )
    assert best_interval(stages, budget)[0] == best
    with pytest.raises(ValueError, match="4 stages"):
        best_interval(stages, 3)


def test_foldings_of_a_stage():
    assert cheapest_foldings(Stage("pointwise", 2, 3, 2), 4) == ((1, 12), (2, 6), (3, 4))
    found = cheapest_foldings(Stage("depthwise", 1, 2, 2), 18)
    assert found == ((1, 18), (2, 9), (3, 6), (6, 3), (9, 2), (18, 1))
    assert cheapest_foldings(Stage("depthwise", 1, 2, 2, 25), 10) == ((1, 50), (2, 25), (5, 10), (10, 5))


def v2(stem: int = 5, head: int = 7) -> Topology:
    """Every kind of block of a MobileNetV2."""
    return Topology(9, 2, stem, (Block(stem, 4), Block(12, 6, 2), Block(12, 6)), head, 4)


V3_SMALL = Topology(
    size=9,
    channels=2,
    stem=5,
    blocks=(
        Block(5, 4, activation="RELU"),
        Block(12, 6, 2, kernel=5, activation="HARD_SWISH", squeezed=3),
        Block(12, 6, kernel=5, activation="RELU", squeezed=4),
    ),
    head=7,
    classes=4,
    activation="HARD_SWISH",
    fine_mean=True,
)


def trained(seed: int, powers: bool, topology: Topology) -> tuple[QuantisedMobileNet, "torch.Tensor"]:
    """A network with random weights and statistics, quantised."""
    torch.manual_seed(seed)
    network = MobileNet(topology)
    assert parameter_count(topology) == sum(
        p.numel() for name, p in network.named_parameters() if "norm" not in name
    ) + sum(p.numel() for name, p in network.named_parameters() if name.endswith("norm.bias"))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # one step gives the norms these pictures' statistics
        if isinstance(module, SqueezeExcite):
            for layer, factor in ((module.reduce, 1), (module.expand, 4)):  # factors from 0 to 1
                torch.nn.init.uniform_(layer.weight, -factor, factor)
    network.train()
    pictures = torch.randint(0, 256, (64, 2, 9, 9)).float() / 256
    network(pictures)
    network.eval()
    quantised = QuantisedMobileNet(network, 2.0**-8, -128, powers)
    quantised.calibrate(pictures)
    return quantised.eval(), pictures


@pytest.mark.parametrize(
    ("seed", "powers", "topology", "operators"),
    [
        (1, True, v2(), 12),
        (2, True, v2(), 12),
        (3, False, v2(), 12),
        (1, False, V3_SMALL, 27),
        (2, False, V3_SMALL, 27),
    ],
    ids=["V2", "V2 again", "V2, any scales", "V3", "V3 again"],
)
def test_the_file_computes_what_was_simulated(seed, powers, topology, operators, tmp_path):
    """Each layer by itself, on the golden model's inputs.

    The simulation rounds ties to even and the reference does not, hence a step of difference here and there; a mistake
    in layout, padding, folding or scales makes large ones everywhere.
    """
    network, pictures = trained(seed, powers, topology)
    path = tmp_path / "random.tflite"
    file_content(network, "random", "", path)
    graph = read_tflite(path)
    integers = (torch.round(pictures[:1] * 256) - 128).to(torch.int8).permute(0, 2, 3, 1).numpy()
    computed = run(graph, {graph.inputs[0]: integers})

    def real(index: int) -> "torch.Tensor":
        tensor = graph.tensors[index]
        values = torch.tensor((computed[index].astype(np.float32) - tensor.zero_point) * np.float32(tensor.scale))
        return values.permute(0, 3, 1, 2) if values.dim() == 4 else values

    steps = list(simulations(network))
    checked = 0
    for op in graph:
        if op.kind in ("AVERAGE_POOL_2D", "SOFTMAX"):
            continue
        simulated = steps.pop(0)(*(real(tensor) for tensor in op.inputs))
        target = graph.tensors[op.outputs[0]]
        expected = real(op.outputs[0])
        difference = torch.round((simulated.view(expected.shape) - expected) / target.scale).abs()
        where = f"seed {seed}, operator {op.index} ({op.kind})"
        assert len(expected.unique()) >= min(12, expected.numel() // 2 + 1), f"{where}: hardly any values"
        assert difference.max() <= 1, where
        assert (difference > 0).float().mean() < OFTEN.get(op.kind, 0.15), where
        if op.kind == "HARD_SWISH":
            assert not difference.any(), f"{where}: not the kernel's own results"
        checked += 1
    assert (checked, steps) == (operators, []), f"seed {seed}"


# Where a step of difference is not rare. A sum at twice its inputs' scale is a tie every other time; MEAN's kernel may
# round to halves first and then to integers, and a few channels are no large sample.
OFTEN = {"ADD": 0.35, "MEAN": 0.6}


def simulations(network: QuantisedMobileNet):
    """What is simulated, operator by operator of the file: functions of what the operators read."""

    def of_layer(layer):
        yield lambda x: layer.accumulate(x.flatten(1) if layer.weight.dim() == 2 else x)
        if layer.swish is not None:
            yield layer.swish

    def of_squeeze_excite(layer):
        yield lambda x: layer.mean(x.mean(dim=(2, 3)))
        yield from of_layer(layer.reduce)
        yield from of_layer(layer.expand)
        yield lambda x: layer.factors(x / 6)
        yield lambda x, factors: layer.product(x * factors)

    yield from of_layer(network.stem)
    for block in network.blocks:
        for layer in block.layers:
            yield from (of_squeeze_excite if isinstance(layer, QuantisedSqueezeExcite) else of_layer)(layer)
        if block.sum is not None:
            yield lambda a, b, total=block.sum: total(a + b)
    if network.head is not None:
        yield from of_layer(network.head)
    if network.topology.fine_mean:
        yield lambda x: network.pool(x.mean(dim=(2, 3)))
    yield from of_layer(network.classifier)


def test_hard_swish_is_the_kernels():
    """All 256 results, and a gradient that is hard-swish's own."""
    layer = QuantisedHardSwish(ActivationQuantiser(False, floor=QuantisedHardSwish.LEAST))
    x = torch.linspace(-5, 4, 256, requires_grad=True)
    layer(layer.source(x))
    for quantiser in (layer.source, layer.output):
        quantiser.freeze()
    source, output = layer.source, layer.output
    assert source.scale * (-128 - source.zero_point) == pytest.approx(-3, abs=source.scale)
    integers = torch.arange(-128, 128)
    writer = TfliteWriter("hard_swish")
    tensor = writer.input("x", (1, 16, 16, 1), source.scale, source.zero_point)
    writer.output(writer.unary("HARD_SWISH", tensor, output.scale, output.zero_point))
    pictures = integers.to(torch.int8).view(1, 16, 16, 1).numpy()
    expected = reference_logits(writer.to_bytes(), pictures).astype(int).flatten()
    found = layer((integers - source.zero_point) * source.scale) / output.scale + output.zero_point
    np.testing.assert_array_equal(torch.round(found).int().numpy(), expected)
    layer(source(x)).sum().backward()
    inside = (x > source.scale * (-128 - source.zero_point)) & (x < source.scale * (127 - source.zero_point))
    rounded = torch.round(x.detach() / source.scale) * source.scale
    wanted = torch.where(rounded >= 3, 1.0, (2 * rounded + 3) / 6) * inside
    torch.testing.assert_close(x.grad, wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "size"),
    [(3, 1, 1, 7), (3, 2, 0, 9), (5, 1, 2, 6), (5, 2, 0, 11), (7, 1, 3, 9)],
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_depthwise_gradients(kernel, stride, padding, size, dtype):
    """Those of PyTorch's own convolution."""
    generator = torch.Generator().manual_seed(kernel)
    x = torch.randn(4, 6, size, size, generator=generator)
    weight = torch.randn(6, 1, kernel, kernel, generator=generator)
    found = []
    for own in (True, False):
        type_ = getattr(torch, dtype) if own else torch.float32
        # What bfloat16 holds, in either type, so that the two begin from the same numbers.
        a, b = (part.bfloat16().to(type_).requires_grad_() for part in (x, weight))
        if own:
            y = depthwise(a.contiguous(memory_format=torch.channels_last), b, stride, padding)
        else:
            y = torch.nn.functional.conv2d(a, b, None, stride, padding, groups=6)
        (y * torch.linspace(-1, 1, y.numel()).view(y.shape).bfloat16().to(type_)).sum().backward()
        found.append([part.float() for part in (y.detach(), a.grad, b.grad)])
    tolerance = 1e-5 if dtype == "float32" else 0.02
    for own, expected in zip(*found, strict=True):
        torch.testing.assert_close(own, expected, rtol=0, atol=tolerance * float(expected.abs().max()))


@pytest.mark.parametrize(("powers", "topology"), [(True, v2()), (False, V3_SMALL)], ids=["V2", "V3"])
def test_mac_count_is_the_graphs(powers, topology, tmp_path):
    network, _ = trained(4, powers, topology)
    path = tmp_path / "random.tflite"
    file_content(network, "random", "", path)
    assert read_tflite(path).total_macs == mac_count(list(network.topology.stages()))


@pytest.mark.parametrize(
    ("powers", "topology"), [(True, v2()), (False, v2()), (False, V3_SMALL)], ids=["V2 powers", "V2", "V3"]
)
def test_a_file_starts_a_network(powers, topology, tmp_path):
    """The float network computes with what the file holds as integers, before and after its norms are restored."""
    quantised, pictures = trained(5, powers, topology)
    path = tmp_path / "random.tflite"
    file_content(quantised, "random", "", path)
    graph = read_tflite(path)
    torch.manual_seed(6)
    network = MobileNet(quantised.topology)
    load_weights(network, graph)
    layers = [module for module in quantised.modules() if isinstance(module, QuantisedLayer)]
    for layer, op in zip(layers, (op for op in graph if isinstance(op, MacOperator)), strict=True):
        scales = layer.weight_scales()
        rounded = torch.round(layer.weight.detach() / scales.view(-1, *[1] * (layer.weight.dim() - 1)))
        expected = rounded * scales.view(-1, *[1] * (layer.weight.dim() - 1))
        torch.testing.assert_close(real_weights(op).view(expected.shape), expected, rtol=1e-6, atol=0)
        bias = real_bias(op, graph.tensors[op.inputs[0]].scale)
        assert ((bias - layer.bias).abs() <= 0.51 * layer.input_scale * scales).all(), f"operator {op.index}"
        layer.weight.data, layer.bias.data = expected, bias
    for module in quantised.modules():
        if isinstance(module, ActivationQuantiser):
            module.observing = True  # rounds nothing
    with torch.no_grad():
        expected = quantised(pictures)
        assert expected.std() > 0.05, "the classes hardly differ"
        torch.testing.assert_close(network.eval()(pictures), expected, rtol=1e-4, atol=1e-4)
        restore_norms(network, pictures, batch=24)  # the last batch is smaller
        torch.testing.assert_close(network.eval()(pictures), expected, rtol=1e-4, atol=1e-4)
        # The restored statistics are those of a batch of these pictures, so that training goes on from the function.
        torch.testing.assert_close(network.train()(pictures), expected, rtol=1e-3, atol=1e-3)


def test_a_file_of_another_topology_starts_nothing(tmp_path):
    quantised, _ = trained(7, False, v2())
    path = tmp_path / "random.tflite"
    file_content(quantised, "random", "", path)
    graph = read_tflite(path)
    with pytest.raises(GraphError, match="11 layers with weights, the network that is trained has 10"):
        load_weights(MobileNet(v2(head=0)), graph)
    with pytest.raises(GraphError, match=r"operator 0 CONV_2D has weights of shape \[5, 2, 3, 3\].*\[6, 2, 3, 3\]"):
        load_weights(MobileNet(v2(stem=6)), graph)


CYCLE = Cycle(epochs=10, peak=0.5, decay=0.0, crops=((0.0, 10), (0.6, 20)), warm_up=0.2)


def test_a_cycle_rises_falls_and_grows():
    assert [CYCLE.rate(progress) for progress in (0, 0.1, 0.2, 0.6, 1)] == [0, 0.25, 0.5, 0.25, 0]
    progress, sizes = 0.0, []
    for remaining in range(10, 0, -1):  # as training does: rounding must not delay the larger crops
        sizes.append(CYCLE.crop(progress))
        progress += (1 - progress) / remaining
    assert sizes == [10] * 6 + [20] * 4


@pytest.mark.parametrize(
    ("progress", "seconds", "epochs"),
    [
        (0.0, 2200, 10),  # six epochs of 100 seconds, four of 400
        (0.0, 2299, 10),
        (0.0, 2300, 11),  # the seventh begins at 6/11: seven of 100 and four of 400
        (0.0, 0, 10),  # a tenth of the cycle in an epoch, however late it is
        (0.54, 900, 5),
        (0.7, 1600, 4),
        (0.7, 1599, 3),
        (0.9, -60, 1),
    ],
)
def test_epochs_fit_into_the_time_left(progress, seconds, epochs):
    assert CYCLE.affordable_epochs(progress, seconds, seconds_per_pixel=1.0) == epochs


def test_a_deadline_is_the_next_such_time():
    now = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert next_time("23:31", now) == datetime(2026, 12, 31, 23, 31, tzinfo=UTC)
    assert next_time("23:30", now) == datetime(2027, 1, 1, 23, 30, tzinfo=UTC)
    assert next_time("05:30", now) == datetime(2027, 1, 1, 5, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="half past five"):
        next_time("half past five", now)
