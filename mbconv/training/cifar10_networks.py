"""The networks that are trained on CIFAR-10: their shapes and their cycles."""

from __future__ import annotations

from dataclasses import dataclass

from mbconv.training.cifar10_data import SIZE
from mbconv.training.cycle import Cycle
from mbconv.training.mobilenet import Block, Topology

SMALL_FIRST = ((0.0, 24), (0.5, 28), (0.75, SIZE))


@dataclass(frozen=True)
class Cifar10Network:
    """A built-in model's recipe.

    Args:
        name: of the built-in model.
        description: stored in its file.
        topology: its shape.
        cycles: those of its training; a start from a file begins with the second.
        bfloat16: convolutions and norms compute in bfloat16 until int8 is simulated.
        quantised_epoch: what an epoch with simulated int8 takes, as epochs in floating point with whole pictures.
    """

    name: str
    description: str
    topology: Topology
    cycles: tuple[Cycle, ...]
    bfloat16: bool = False
    quantised_epoch: float = 1.2


V2 = Cifar10Network(
    name="cifar10",
    description="MobileNetV2 for 32x32 pictures of CIFAR-10's classes",
    topology=Topology(
        size=SIZE,
        channels=3,
        stem=32,
        blocks=(Block(32, 32, 2), Block(128, 32), Block(128, 96, 2), Block(384, 96), Block(384, 96)),
        head=256,
        classes=10,
    ),
    cycles=(
        Cycle(epochs=24, peak=0.1, decay=2e-4, crops=SMALL_FIRST, warm_up=0.2),
        Cycle(epochs=69, peak=0.08, decay=3e-4, crops=((0.0, 28), (0.6, SIZE)), warm_up=0.1),
    ),
)
V3 = Cifar10Network(
    name="cifar10_v3",
    description="MobileNetV3 for 32x32 pictures of CIFAR-10's classes",
    topology=Topology(
        size=SIZE,
        channels=3,
        stem=32,
        blocks=(
            Block(32, 36, 2, activation="RELU"),
            Block(128, 36, activation="RELU"),
            Block(128, 108, 2, kernel=5, activation="HARD_SWISH", squeezed=32),
            Block(294, 108, kernel=5, activation="HARD_SWISH", squeezed=72),
            Block(294, 108, activation="HARD_SWISH"),
        ),
        head=256,
        classes=10,
        activation="HARD_SWISH",
        fine_mean=True,
    ),
    cycles=(
        Cycle(epochs=60, peak=0.1, decay=3e-4, crops=SMALL_FIRST, warm_up=0.1),
        Cycle(epochs=60, peak=0.08, decay=3e-4, crops=((0.0, 28), (0.6, SIZE)), warm_up=0.1),
    ),
    bfloat16=True,
    quantised_epoch=2.7,
)
NETWORKS = {network.name: network for network in (V2, V3)}
