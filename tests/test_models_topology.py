"""The topologies allow the efficiency that they were chosen for, and training exports what it simulates."""

from datetime import UTC, datetime
from itertools import product

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow  # make slow installs what training needs

from mbconv.generators.graph.graph import GraphError  # noqa: E402
from mbconv.generators.graph.mac_operator import MacOperator  # noqa: E402
from mbconv.generators.operators.add import Add  # noqa: E402
from mbconv.generators.readers.tflite_file import read_tflite  # noqa: E402
from mbconv.sim.golden.model import run  # noqa: E402
from mbconv.training import train_cifar10, train_digits  # noqa: E402
from mbconv.training.cycle import Cycle, next_time  # noqa: E402
from mbconv.training.folding_bound import best_efficiency, best_interval, cheapest_foldings  # noqa: E402
from mbconv.training.mobilenet import MobileNetV2, Topology, mac_count, parameter_count  # noqa: E402
from mbconv.training.quantised_layers import (  # noqa: E402
    ActivationQuantiser,
    QuantisedLayer,
    QuantisedMobileNetV2,
    file_content,
)
from mbconv.training.warm_start import load_weights, real_bias, real_weights, restore_norms  # noqa: E402


@pytest.mark.parametrize(
    ("topology", "budget", "interval", "efficiency"),
    [(train_digits.TOPOLOGY, 16, 4608, 0.91), (train_cifar10.TOPOLOGY, 64, 294_912, 0.89)],
)
def test_topologies_allow_high_efficiency(topology, budget, interval, efficiency):
    stages = list(topology.stages())
    found, multipliers = best_interval(stages, budget)
    assert found == interval
    assert sum(multipliers) <= budget
    assert min(multipliers) >= 1
    assert best_efficiency(stages, budget) > efficiency


def test_best_interval_is_the_best_of_all_foldings():
    stages = [("pointwise", 4, 5, 3), ("depthwise", 4, 3, 3), ("pointwise", 4, 3, 7), ("pointwise", 1, 7, 2)]
    budget = 13

    def foldings(stage):
        kind, pixels, inputs, outputs = stage
        second = (1, 3, 9) if kind == "depthwise" else range(1, outputs + 1)
        for p, q in product(range(1, inputs + 1), second):
            steps = -(-inputs // p) * (9 // q if kind == "depthwise" else -(-outputs // q))
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
    assert cheapest_foldings(("pointwise", 2, 3, 2), 4) == ((1, 12), (2, 6), (3, 4))
    assert cheapest_foldings(("depthwise", 1, 2, 2), 18) == ((1, 18), (2, 9), (3, 6), (6, 3), (9, 2), (18, 1))


def trained(seed: int, powers: bool) -> tuple[QuantisedMobileNetV2, "torch.Tensor"]:
    """A network of every kind of block with random weights and statistics, quantised."""
    torch.manual_seed(seed)
    topology = Topology(9, 2, 5, ((1, 4, 1), (3, 6, 2), (2, 6, 1)), 7, 4)
    network = MobileNetV2(topology)
    assert parameter_count(topology) == sum(
        p.numel() for name, p in network.named_parameters() if "norm" not in name
    ) + sum(p.numel() for name, p in network.named_parameters() if name.endswith("norm.bias"))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # one step gives the norms these pictures' statistics
    network.train()
    pictures = torch.randint(0, 256, (64, 2, 9, 9)).float() / 256
    network(pictures)
    network.eval()
    quantised = QuantisedMobileNetV2(network, 2.0**-8, -128, powers)
    quantised.calibrate(pictures)
    return quantised.eval(), pictures


@pytest.mark.parametrize(("seed", "powers"), [(1, True), (2, True), (3, False)])
def test_the_file_computes_what_was_simulated(seed, powers, tmp_path):
    """Each layer by itself, on the golden model's inputs.

    The simulation rounds ties to even and the reference does not, hence a step of difference here and there; a mistake
    in layout, padding, folding or scales makes large ones everywhere.
    """
    network, pictures = trained(seed, powers)
    path = tmp_path / "random.tflite"
    file_content(network, "random", "", path)
    graph = read_tflite(path)
    integers = (torch.round(pictures[:1] * 256) - 128).to(torch.int8).permute(0, 2, 3, 1).numpy()
    computed = run(graph, {graph.inputs[0]: integers})

    def real(index: int) -> "torch.Tensor":
        tensor = graph.tensors[index]
        values = torch.tensor((computed[index].astype(np.float32) - tensor.zero_point) * np.float32(tensor.scale))
        return values.permute(0, 3, 1, 2) if values.dim() == 4 else values

    layers = [module for module in network.modules() if isinstance(module, QuantisedLayer)]
    sums = [block.sum for block in network.blocks if block.sum is not None]
    checked = 0
    for op in graph:
        if isinstance(op, MacOperator):
            source = real(op.inputs[0])
            layer = layers.pop(0)
            simulated = layer(source.flatten(1) if layer.weight.dim() == 2 else source)
        elif isinstance(op, Add):
            simulated = sums.pop(0)(real(op.inputs[0]) + real(op.inputs[1]))
        else:
            continue
        target = graph.tensors[op.outputs[0]]
        expected = real(op.outputs[0])
        difference = torch.round((simulated - expected) / target.scale).abs()
        where = f"seed {seed}, operator {op.index} ({op.kind})"
        assert len(expected.unique()) >= min(12, expected.numel() - 1), f"{where}: hardly any values"
        assert difference.max() <= 1, where
        # A sum at twice its inputs' scale is a tie every other time.
        assert (difference > 0).float().mean() < (0.35 if isinstance(op, Add) else 0.15), where
        checked += 1
    assert (checked, layers, sums) == (12, [], []), f"seed {seed}"


def test_mac_count_is_the_graphs(tmp_path):
    network, _ = trained(4, True)
    path = tmp_path / "random.tflite"
    file_content(network, "random", "", path)
    assert read_tflite(path).total_macs == mac_count(list(network.topology.stages()))


@pytest.mark.parametrize("powers", [True, False])
def test_a_file_starts_a_network(powers, tmp_path):
    """The float network computes with what the file holds as integers, before and after its norms are restored."""
    quantised, pictures = trained(5, powers)
    path = tmp_path / "random.tflite"
    file_content(quantised, "random", "", path)
    graph = read_tflite(path)
    torch.manual_seed(6)
    network = MobileNetV2(quantised.topology)
    load_weights(network, graph)
    layers = [module for module in quantised.modules() if isinstance(module, QuantisedLayer)]
    for layer, op in zip(layers, (op for op in graph if isinstance(op, MacOperator)), strict=True):
        scales = layer.weight_scales()
        rounded = torch.round(layer.weight.detach() / scales.view(-1, *[1] * (layer.weight.dim() - 1)))
        expected = rounded * scales.view(-1, *[1] * (layer.weight.dim() - 1))
        torch.testing.assert_close(real_weights(op), expected, rtol=1e-6, atol=0)
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
    quantised, _ = trained(7, False)
    path = tmp_path / "random.tflite"
    file_content(quantised, "random", "", path)
    graph = read_tflite(path)
    with pytest.raises(GraphError, match="11 layers with weights, the network that is trained has 10"):
        load_weights(MobileNetV2(Topology(9, 2, 5, ((1, 4, 1), (3, 6, 2), (2, 6, 1)), 0, 4)), graph)
    with pytest.raises(GraphError, match=r"operator 0 CONV_2D has weights of shape \[5, 2, 3, 3\].*\[6, 2, 3, 3\]"):
        load_weights(MobileNetV2(Topology(9, 2, 6, ((1, 4, 1), (3, 6, 2), (2, 6, 1)), 7, 4)), graph)


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
