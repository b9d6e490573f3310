"""Trains ``cifar10`` or ``cifar10_v3``: ``python -m mbconv.training.train_cifar10 --data FILE --folder DIR``.

A MobileNetV2 for 32×32 pixels, or with ``--network cifar10_v3`` a MobileNetV3. Training is a series of cycles; in each
the rate rises to its peak and falls to zero, and the averaged weights at its end are quantised (folded, calibrated,
fine-tuned a little as int8) and written as ``cycleN.tflite``. A later cycle starts from the weights of the last and
betters it: the first gives a usable network soon.

A checkpoint is kept after each epoch, and the same command goes on from it. ``--start FILE.tflite`` begins a new
folder with the file of an earlier cycle, in place of random weights and the first cycle: no more than that file is
needed to go on where another machine stopped. With ``--until HH:MM`` (UTC) the number of epochs is planned anew after
each, such that the cycle's rate has fallen to zero and its file is written at about that time.

Early epochs see smaller crops (the network ends in a global average, so it takes any size), which costs less time. The
curve is in ``curve.csv``: validation accuracy is measured on 2,000 of the training pictures, which nothing learns from.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

try:
    import torch
    from torch import nn
    from torch.nn import functional
except ModuleNotFoundError as error:
    from mbconv.cli_errors import user_message

    print(f"mbconv: {user_message(error)}", file=sys.stderr)
    raise SystemExit(2) from None

from mbconv.generators.graph.graph import GraphError
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.training.cifar10_data import (
    INPUT_SCALE,
    INPUT_ZERO_POINT,
    SIZE,
    Augmenter,
    Pictures,
    load_pictures,
)
from mbconv.training.cifar10_networks import NETWORKS, Cifar10Network
from mbconv.training.cycle import Cycle, next_time
from mbconv.training.folding_bound import best_efficiency, best_interval
from mbconv.training.mobilenet import MobileNet, mac_count, parameter_count
from mbconv.training.outputs import add_force, check_outputs
from mbconv.training.quantised_network import QuantisedMobileNet, file_content, reference_accuracy
from mbconv.training.warm_start import load_weights, restore_norms

CHECKPOINT = "checkpoint.pt"
BATCH = 64  # small: the activations of a batch stay in a processor's cache
SMOOTHING = 0.1
AVERAGING = 0.999
QUANTISED_EPOCHS, QUANTISED_RATE = 2, 0.004
MEASUREMENT = 1.5  # 7,000 pictures by the reference kernels, as epochs in floating point with whole pictures
RECENT = 9  # epochs whose time the plan of the next ones goes by
STATISTICS = 4000  # training pictures that restore the norms of a file


def parameter_groups(network: nn.Module, decay: float) -> list[dict]:
    """Weight decay for the dense weights alone: depthwise filters, norms and biases are few and need none."""
    dense = [p for p in network.parameters() if p.dim() > 1 and p.shape[1] > 1]
    other = [p for p in network.parameters() if p.dim() <= 1 or p.shape[1] == 1]
    return [{"params": dense, "weight_decay": decay}, {"params": other, "weight_decay": 0.0}]


@torch.no_grad()
def accuracy(network: nn.Module, pictures: Pictures) -> float:
    network.eval()
    right = 0
    for start in range(0, len(pictures), 100):
        part = slice(start, start + 100)
        right += int((network(pictures.real(part)).argmax(1) == pictures.labels[part]).sum())
    return right / len(pictures)


def train_epoch(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    augmenter: Augmenter,
    epoch: int,
    size: int,
    rate: Callable[[float], float],
    bfloat16: bool = False,
    after_step: Callable[[], None] | None = None,
) -> float:
    """One pass over the pictures, whose rate depends on the share of the epoch; returns the mean loss."""
    network.train()
    order = torch.randperm(len(augmenter.labels))
    batches = order[: len(order) // BATCH * BATCH].split(BATCH)
    total = 0.0
    for number, indices in enumerate(batches):
        for group in optimiser.param_groups:
            group["lr"] = rate(number / len(batches))
        pictures, labels = augmenter.batch(indices, epoch, size)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits = network(pictures)
        loss = functional.cross_entropy(logits.float(), labels, label_smoothing=SMOOTHING)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if after_step is not None:
            after_step()
        total += float(loss.detach())
    return total / len(batches)


class Average:
    """The exponential moving average of a network's weights and statistics, as a network of its own."""

    def __init__(self, network: MobileNet):
        self.network = MobileNet(network.topology).to(memory_format=torch.channels_last)
        self.network.load_state_dict(network.state_dict())
        self.pairs = [
            (own, other)
            for own, other in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True)
            if own.is_floating_point()
        ]

    @torch.no_grad()
    def update(self) -> None:
        torch._foreach_lerp_([own for own, _ in self.pairs], [other for _, other in self.pairs], 1 - AVERAGING)


class Run:
    """A training run in a folder: its networks, its curve and its checkpoint."""

    def __init__(
        self,
        recipe: Cifar10Network,
        folder: Path,
        data: Path,
        seed: int,
        start: Path | None = None,
        until: datetime | None = None,
        quantised_epochs: int = QUANTISED_EPOCHS,
    ):
        self.recipe, self.folder, self.until, self.quantised_epochs = recipe, folder, until, quantised_epochs
        torch.manual_seed(seed)
        self.training, self.validation, self.test = load_pictures(data)
        self.augmenter = Augmenter(self.training)
        self.network = MobileNet(recipe.topology).to(memory_format=torch.channels_last)
        self.cycle, self.epoch, self.progress = 0, 0, 0.0
        resumes = (folder / CHECKPOINT).exists()
        if start is not None and not resumes:
            self._start_from(start)
        self.average = Average(self.network)
        self.rows: list[dict] = []
        self._new_optimiser()
        if resumes:
            self._restore()

    def _new_optimiser(self) -> None:
        groups = parameter_groups(self.network, self.recipe.cycles[min(self.cycle, len(self.recipe.cycles) - 1)].decay)
        self.optimiser = torch.optim.SGD(groups, lr=0.0, momentum=0.9, nesterov=True)

    def _start_from(self, path: Path) -> None:
        load_weights(self.network, read_tflite(path))
        restore_norms(self.network, self.training.real(slice(0, STATISTICS)))
        self.cycle = 1
        print(f"{path}: as a float network, validation {accuracy(self.network, self.validation):.2%}", flush=True)

    def _restore(self) -> None:
        state = torch.load(self.folder / CHECKPOINT, weights_only=True)
        if state["name"] != self.recipe.name:
            raise GraphError(f"{self.folder} holds a training of {state['name']}, not of {self.recipe.name}")
        self.cycle, self.epoch, self.rows = state["cycle"], state["epoch"], state["rows"]
        self.progress = state["progress"]
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self._new_optimiser()
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"])
        print(f"resumed: cycle {self.cycle + 1}, {self.epoch} epochs, {self.progress:.1%} done", flush=True)

    def _keep(self) -> None:
        state = {
            "name": self.recipe.name,
            "cycle": self.cycle,
            "epoch": self.epoch,
            "progress": self.progress,
            "rows": self.rows,
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "random": torch.get_rng_state(),
        }
        # A reader never sees half a file: written aside, then renamed.
        torch.save(state, self.folder / "checkpoint.new")
        os.replace(self.folder / "checkpoint.new", self.folder / CHECKPOINT)
        with (self.folder / "curve.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)

    def _note(self, phase: str, epoch: int, size: int, loss: float, share: float, seconds: float) -> None:
        row = {
            "cycle": self.cycle + 1,
            "phase": phase,
            "epoch": epoch,
            "crop": size,
            "loss": round(loss, 4),
            "validation": round(share, 4),
            "seconds": round(seconds, 1),
            "progress": round(self.progress, 4),
            "until": self.until.isoformat(timespec="minutes") if self.until else "",
        }
        self.rows.append(row)
        print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)

    def _remaining_epochs(self, cycle: Cycle) -> int:
        rows = [row for row in self.rows if (row["cycle"], row["phase"]) == (self.cycle + 1, "float")]
        if self.until is None or not rows:
            return max(1, cycle.epochs - self.epoch)
        # The median: a few epochs beside heavy work say little of those to come.
        seconds_per_pixel = median(row["seconds"] / row["crop"] ** 2 for row in rows[-RECENT:])
        left = (self.until - datetime.now(UTC)).total_seconds()
        left -= (MEASUREMENT + self.quantised_epochs * self.recipe.quantised_epoch) * seconds_per_pixel * SIZE**2
        return cycle.affordable_epochs(self.progress, left, seconds_per_pixel)

    def run(self, cycles: int) -> None:
        """Train until so many cycles are done."""
        while self.cycle < cycles:
            cycle = self.recipe.cycles[self.cycle]
            while self.progress < 1:
                self._float_epoch(cycle, self._remaining_epochs(cycle))
                self._keep()
            self.quantise()
            self.cycle, self.epoch, self.progress = self.cycle + 1, 0, 0.0
            self.network.load_state_dict(self.average.network.state_dict())
            self._new_optimiser()
            self._keep()

    def _float_epoch(self, cycle: Cycle, remaining: int) -> None:
        """The first of so many equal epochs to the cycle's end."""
        started, size, done = time.monotonic(), cycle.crop(self.progress), self.progress
        after = done + (1 - done) / remaining if remaining > 1 else 1.0
        loss = train_epoch(
            self.network,
            self.optimiser,
            self.augmenter,
            self.epoch,
            size,
            lambda share: cycle.rate(done + share * (after - done)),
            self.recipe.bfloat16,
            self.average.update,
        )
        self.epoch, self.progress = self.epoch + 1, after
        share = accuracy(self.average.network, self.validation)
        seconds = time.monotonic() - started
        self._note("float", self.epoch, size, loss, share, seconds)

    def quantise(self) -> None:
        """Write the averaged network as an int8 file and measure it with LiteRT's reference kernels."""
        self.average.network.eval()
        network = QuantisedMobileNet(self.average.network, INPUT_SCALE, INPUT_ZERO_POINT, powers=False)
        network.calibrate(self.training.real(slice(0, 2048)))
        print(f"int8 without further training: validation {accuracy(network, self.validation):.2%}", flush=True)
        optimiser = torch.optim.SGD(parameter_groups(network, 0.0), lr=0.0, momentum=0.9, nesterov=True)
        for epoch in range(self.quantised_epochs):
            started = time.monotonic()
            loss = train_epoch(
                network,
                optimiser,
                self.augmenter,
                epoch,
                SIZE,
                lambda share, epoch=epoch: QUANTISED_RATE * (1 - (epoch + share) / self.quantised_epochs),
            )
            share = accuracy(network, self.validation)
            self._note("int8", epoch + 1, SIZE, loss, share, time.monotonic() - started)
        path = self.folder / f"cycle{self.cycle + 1}.tflite"
        content = file_content(network, self.recipe.name, self.recipe.description, path)
        shares = [
            reference_accuracy(content, part.integers(), part.labels.numpy()) for part in (self.validation, self.test)
        ]
        summary = (
            f"{path.name}: {len(content):,} bytes; int8 by LiteRT's reference kernels: "
            f"validation {shares[0]:.2%}, test {shares[1]:.2%}"
        )
        print(summary, flush=True)
        (self.folder / f"cycle{self.cycle + 1}.txt").write_text(summary + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="CIFAR-10 as an .npz of JPEG files")
    parser.add_argument("--folder", type=Path, required=True, help="where checkpoint, curve and files are kept")
    parser.add_argument("--network", default="cifar10", choices=NETWORKS, help="which model (default: %(default)s)")
    parser.add_argument("--cycles", type=int, help="end after so many (default: all)")
    parser.add_argument("--start", type=Path, help="the .tflite of an earlier cycle, from which the second one starts")
    parser.add_argument("--until", help="HH:MM (UTC) at which a cycle ends: as many epochs as there is time for")
    parser.add_argument(
        "--quantised-epochs", type=int, default=QUANTISED_EPOCHS, metavar="N",
        help="epochs with simulated int8 at a cycle's end (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    add_force(parser)
    arguments = parser.parse_args()
    try:
        until = next_time(arguments.until, datetime.now(UTC)) if arguments.until else None
    except ValueError:
        parser.error(f"--until is a time of day as HH:MM, not {arguments.until!r}")

    recipe = NETWORKS[arguments.network]
    every = len(recipe.cycles)
    cycles = every if arguments.cycles is None else arguments.cycles
    if not 1 <= cycles <= every:
        parser.error(f"--cycles is 1 to {every}, not {cycles}")
    if arguments.quantised_epochs < 0:
        parser.error(f"--quantised-epochs is at least 0, not {arguments.quantised_epochs}")
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    stages = list(recipe.topology.stages())
    print(
        f"{parameter_count(recipe.topology):,} parameters, {mac_count(stages):,} MACs, {len(stages)} MAC stages; at 64 "
        f"multipliers interval {best_interval(stages, 64)[0]:,} cycles, efficiency {best_efficiency(stages, 64):.1%}",
        flush=True,
    )
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if not (arguments.folder / CHECKPOINT).exists():  # which would say that the files are those of a run that goes on
        names = ["curve.csv", *(f"cycle{n + 1}.{kind}" for n in range(every) for kind in ("tflite", "txt"))]
        check_outputs(parser, (arguments.folder / name for name in names), arguments.force)
    try:
        run = Run(
            recipe, arguments.folder, arguments.data, arguments.seed, arguments.start, until, arguments.quantised_epochs
        )
    except GraphError as error:
        parser.error(f"--start {arguments.start}: {error}" if arguments.start else str(error))
    run.run(cycles)


if __name__ == "__main__":
    from mbconv.cli_status import run_module

    run_module(main)
