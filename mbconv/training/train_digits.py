"""Trains the built-in model ``digits``: ``python -m mbconv.training.train_digits``.

A MobileNetV2 for scikit-learn's digits (8×8 pixels, 1,797 pictures). The split is fixed: a permutation of the pictures
seeded with 2026 gives 360 held-out pictures (not looked at before everything else was chosen), 240 for
validation, and the rest. ``--validate`` trains on the rest alone and prints the accuracy on the validation pictures,
which is how topology and rates were chosen; without it the network learns from all 1,437 that are not held out.

Two phases: floating point with batch norm, then int8 simulated with power-of-two scales, from the best first phase's
weights. The number that counts is the last: LiteRT's reference kernels on the file, over the held-out pictures.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from pathlib import Path

import numpy as np

try:
    import torch
    from torch import nn
    from torch.nn import functional
except ModuleNotFoundError as error:
    from mbconv.cli_errors import user_message

    print(f"mbconv: {user_message(error)}", file=sys.stderr)
    raise SystemExit(2) from None

from mbconv.models.digit_pictures import HELD_OUT, SPLIT_SEED
from mbconv.training.folding_bound import best_efficiency, best_interval
from mbconv.training.mobilenet import Block, MobileNet, Topology, mac_count, parameter_count
from mbconv.training.outputs import add_force, check_outputs
from mbconv.training.quantised_network import QuantisedMobileNet, file_content, reference_accuracy

VALIDATION = 240
# A picture 0..255 is the integer less 128: it spans 0 to 255/256, so the input's scale is a power of two as well.
INPUT_SCALE, INPUT_ZERO_POINT = 2.0**-8, -128
TOPOLOGY = Topology(size=8, channels=1, stem=6, blocks=(Block(24, 6), Block(24, 48, 2)), head=0, classes=10)
BATCH = 64


@dataclass(frozen=True)
class Split:
    """Pictures ``[N][1][8][8]`` as real numbers and their labels."""

    pictures: torch.Tensor
    labels: torch.Tensor

    def integers(self) -> np.ndarray:
        """The pictures as int8 ``[N][8][8][1]``."""
        return (torch.round(self.pictures / INPUT_SCALE) + INPUT_ZERO_POINT).permute(0, 2, 3, 1).to(torch.int8).numpy()


def load_splits() -> tuple[Split, Split, Split]:
    """(training, validation, held out) of scikit-learn's digits."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(SPLIT_SEED).permutation(len(digits.images))
    pixels = np.floor(digits.images[order] * 255 / 16 + 0.5)  # 0..16 to 0..255
    pictures = torch.tensor(pixels * INPUT_SCALE, dtype=torch.float32)[:, None]
    labels = torch.tensor(digits.target[order])
    parts = (slice(HELD_OUT + VALIDATION, None), slice(HELD_OUT, HELD_OUT + VALIDATION), slice(0, HELD_OUT))
    train, validation, held_out = (Split(pictures[part], labels[part]) for part in parts)
    return train, validation, held_out


def augment(pictures: torch.Tensor) -> torch.Tensor:
    """Each picture rotated (±12°), scaled (0.88 to 1.12 per axis), sheared and shifted (±0.9 pixels) at random."""
    n = len(pictures)
    angle = (torch.rand(n) * 2 - 1) * (12 * pi / 180)
    shear = (torch.rand(n) * 2 - 1) * 0.15
    scale = torch.rand(n, 2) * 0.24 + 0.88
    shift = (torch.rand(n, 2) * 2 - 1) * (0.9 * 2 / pictures.shape[2])
    cosine, sine = torch.cos(angle), torch.sin(angle)
    rows = [
        torch.stack([cosine * scale[:, 0], (shear - sine) * scale[:, 1], shift[:, 0]], 1),
        torch.stack([sine * scale[:, 0], cosine * scale[:, 1], shift[:, 1]], 1),
    ]
    grid = functional.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    moved = functional.grid_sample(pictures, grid, align_corners=False)
    # Pictures stay what a camera delivers: whole steps of the input's scale.
    return torch.round(moved / INPUT_SCALE) * INPUT_SCALE


@torch.no_grad()
def accuracy(network: nn.Module, split: Split) -> float:
    network.eval()
    return float((network(split.pictures).argmax(1) == split.labels).float().mean())


def train(
    network: nn.Module,
    split: Split,
    epochs: int,
    rate: float,
    watched: Split,
    report: Callable[[int, float, float], None],
) -> None:
    """Adam with a cosine rate; ``report`` gets epoch, loss and the accuracy on ``watched``."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-3)
    steps = -(-len(split.labels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=epochs * steps, pct_start=0.15)
    for epoch in range(1, epochs + 1):
        network.train()
        total = 0.0
        for batch in torch.randperm(len(split.labels)).split(BATCH):
            loss = functional.cross_entropy(
                network(augment(split.pictures[batch])), split.labels[batch], label_smoothing=0.05
            )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(batch)
        if epoch % 10 == 0 or epoch == epochs:
            report(epoch, total / len(split.labels), accuracy(network, watched))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("digits.tflite"))
    parser.add_argument("--curve", type=Path, help="write the training curve as CSV")
    parser.add_argument("--validate", action="store_true", help="hold the validation pictures back and report on them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--quantised-epochs", type=int, default=150)
    add_force(parser)
    arguments = parser.parse_args()
    check_outputs(parser, filter(None, (arguments.output, arguments.curve)), arguments.force)

    torch.manual_seed(arguments.seed)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    stages = list(TOPOLOGY.stages())
    print(
        f"{parameter_count(TOPOLOGY):,} parameters, {mac_count(stages):,} MACs, {len(stages)} MAC stages; at 16 "
        f"multipliers interval {best_interval(stages, 16)[0]:,} cycles, efficiency {best_efficiency(stages, 16):.1%}"
    )
    training, validation, held_out = load_splits()
    if arguments.validate:
        watched = validation
    else:
        # Nothing is chosen by what is watched here: it is the training pictures' own accuracy.
        training = watched = Split(
            torch.cat([training.pictures, validation.pictures]), torch.cat([training.labels, validation.labels])
        )
    rows: list[tuple[str, int, float, float]] = []

    def report(phase: str) -> Callable[[int, float, float], None]:
        def line(epoch: int, loss: float, share: float) -> None:
            rows.append((phase, epoch, round(loss, 5), round(share, 5)))
            print(f"{phase:5} epoch {epoch:4}  loss {loss:.4f}  watched {share:.2%}", flush=True)

        return line

    network = MobileNet(TOPOLOGY)
    train(network, training, arguments.epochs, 0.02, watched, report("float"))
    network.eval()
    quantised = QuantisedMobileNet(network, INPUT_SCALE, INPUT_ZERO_POINT, powers=True)
    quantised.calibrate(training.pictures)
    print(f"int8 without further training: watched {accuracy(quantised, watched):.2%}")
    train(quantised, training, arguments.quantised_epochs, 0.002, watched, report("int8"))

    content = file_content(quantised, "digits", "MobileNetV2 for 8x8 digits, scales are powers of two")
    arguments.output.write_bytes(content)
    if arguments.curve:
        with arguments.curve.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([("phase", "epoch", "loss", "watched"), *rows])
    print(f"{arguments.output}: {len(content):,} bytes")
    for name, split in (("validation", validation),) if arguments.validate else (("held out", held_out),):
        share = reference_accuracy(content, split.integers(), split.labels.numpy())
        print(f"int8, LiteRT's reference kernels, {len(split.labels)} {name} pictures: {share:.2%}")


if __name__ == "__main__":
    from mbconv.cli_status import run_module

    run_module(main)
