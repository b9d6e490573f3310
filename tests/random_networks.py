"""Random valid networks that nobody chose, as ``.tflite`` files: branches, joins, odd shapes, every operator.

A network is drawn operator by operator. Each reads tensors drawn from all that are there, so that some have three
readers and some none, which makes them outputs; scales are drawn so that results spread over their range.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from random_joins import DrawnJoins


class RandomNetwork(DrawnJoins):
    """A network drawn from a seed.

    Args:
        seed: the same one gives the same file.
        work: multiplications of a frame, about; larger drawings are left out.
    """

    def __init__(self, seed: int, work: int = 40_000):
        super().__init__(seed, work)
        for _ in range(1 + int(self.chance(0.15))):
            self.add_input()
        for _ in range(int(self.rng.integers(1, 10))):
            self.add_operator()
        if self.chance(0.5):
            self.add_tail()
        self.join_ends()

    def add_input(self) -> None:
        """Integers, real numbers that are quantised at once, or a map whose channels come first."""
        height, width, channels = self.number(1, 13), self.number(1, 13), self.number(1, 9)
        name, dtype = f"input_{len(self.tensors)}", "uint8" if self.unsigned else "int8"
        scale, zero = self.scale(), self.zero_point()
        kind = self.rng.random()
        if kind < 0.1:
            x = self.writer.input(name, (1, channels, height, width), scale, zero, dtype)
            x = self.writer.transpose(x, (0, 2, 3, 1))
        elif kind < 0.2:
            x = self.writer.input(name, (1, height, width, channels), dtype="float32")
            x = self.writer.quantize(x, scale, zero, dtype)
        else:
            x = self.writer.input(name, (1, height, width, channels), scale, zero, dtype)
        self.tensors.append(x)
        self.given.append(x)
        self.renamed.add(x)

    def add_operator(self) -> None:
        kinds = (
            (self.convolution, 5),
            (self.depthwise, 4),
            (self.pointwise, 4),
            (self.add, 4),
            (self.repeated, 2),
            (self.squeeze_excite, 2),
            (self.concatenation, 2),
            (self.padded, 1),
            (self.transposed, 1),
            (self.resized, 1),
            (self.pooled, 2),
            (self.averaged, 1),
            (self.sliced, 1),
            (self.split, 1),
            (self.constant_arithmetic, 2),
            (self.zero_moved, 1),
            (self.table, 2),
            (self.pad, 1),
            (self.fully_connected, 1),
            (self.every_pixel, 1),
            (self.view, 1),
            (self.residual, 3),
        )
        weights = np.array([weight for _, weight in kinds], float)
        kinds[int(self.rng.choice(len(kinds), p=weights / weights.sum()))][0]()

    def add_tail(self) -> None:
        """What classifiers end with: a mean over the map, a reshape, fully connected layers, SOFTMAX, DEQUANTIZE."""
        x = self.pick(4)
        if x is None:
            return
        height, width = self.shape(x)[1:3]
        if self.chance(0.5):
            y = self.writer.mean(x, self.scale(), self.zero_point(), keep=self.chance(0.5))
        else:
            y = self.writer.average_pool(x, (height, width), self.one_of(((1, 1), (height, width))))
        self.added(y, x)
        for _ in range(int(self.rng.integers(0, 3))):
            found = self.fully_connected(y)
            if found is None:
                return
            y = found
        if self.chance(0.3) and len(self.shape(y)) == 2:
            end = self.writer.softmax(y) if self.chance(0.6) else self.writer.dequantize(y)
            self.read.add(y)
            self.writer.output(end)

    def join_ends(self) -> None:
        """Ends of one shape are often joined; those that remain are outputs."""
        ends = [t for t in self.tensors if t not in self.read and t not in self.given]
        while len(ends) > 1 and self.chance(0.7):
            a = ends.pop(0)
            same = [b for b in ends if self.shape(b) == self.shape(a)]
            if not same:
                ends.append(a)
                continue
            ends.remove(same[0])
            y = self.writer.add(a, same[0], self.scale(), self.zero_point())
            self.added(y, a, same[0])
            ends.append(y)
        read = [t for t in self.tensors if t in self.read and t not in self.given]
        ends += [self.one_of(read)] if read and self.chance(0.2) else []  # an output that is read, too
        for tensor in ends:
            self.writer.output(tensor)

    @property
    def valid(self) -> bool:
        """Whether every output is computed, from all inputs."""
        outputs = self.writer.outputs
        needed = set(outputs)
        for op in reversed(self.writer.operators):  # some are drawn whose results are left out as too large
            if needed.intersection(op.outputs):
                needed.update(op.inputs)
        return bool(outputs) and not self.renamed & set(outputs) and needed.issuperset(self.given)

    def multipliers(self, stages: int) -> int:
        """A number of multipliers for so many stages that need one: the fewest, some, or more than can be used."""
        return max(1, self.one_of((stages, stages * self.number(1, 20), stages * self.number(1, 20), 3000)))

    def write(self, folder: Path) -> Path:
        path = folder / f"random_{self.seed}.tflite"
        self.writer.write(path)
        return path


def random_network(seed: int, work: int = 40_000) -> RandomNetwork:
    """The first network with something to compute that is drawn from the seed."""
    for attempt in range(100):
        network = RandomNetwork(seed * 100 + attempt, work)
        if network.valid:
            return network
    raise ValueError(f"nothing was drawn from seed {seed}")
