"""Stages wired into one circuit: streams, the forks where a stream has several readers, and the queues on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amaranth.hdl import Module
from amaranth.lib.stream import Interface, Signature
from amaranth.lib.wiring import Component, In, Out, connect, flipped

from .cost import NOTHING
from .family import GENERIC, Family
from .fifo import Fifo
from .fork import Fork
from .separate import separate


@dataclass(frozen=True)
class Port:
    """A stream port: of a stage, or of the whole circuit where ``stage`` is empty."""

    stage: str
    port: str

    def __str__(self) -> str:
        return f"{self.stage}.{self.port}" if self.stage else self.port


@dataclass(frozen=True)
class Stream:
    """A stream from one port to one or more, each through a queue of the given depth (0: none).

    ``name`` names the fork and the queues.
    """

    name: str
    source: Port
    sinks: tuple[Port, ...]
    depths: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.sinks:
            raise ValueError(f"the stream {self.name} has no reader")
        if self.depths and len(self.depths) != len(self.sinks):
            raise ValueError(
                f"the stream {self.name} has {len(self.sinks)} readers but {len(self.depths)} queue depths"
            )

    def depth(self, sink: int) -> int:
        return self.depths[sink] if self.depths else 0


def connect_streams(m: Module, source: Interface, sink: Interface, what: str) -> None:
    """Connect two streams of the same payload shape; :func:`amaranth.lib.wiring.connect` would accept any of equal
    width."""
    shapes = [interface.signature.members["payload"].shape for interface in (source, sink)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{what} joins a payload of {shapes[0]!r} to one of {shapes[1]!r}")
    connect(m, source, sink)


class StreamGraph(Component):
    """A circuit of named stages and the streams between them; every stream port of every stage is connected exactly
    once.

    Wires alone: cycles, latency and cost are those of its stages (:func:`~mbconv.hdl.cost.cost` adds them up).

    Args:
        stages: components by name, which becomes their place in the hierarchy.
        streams: how their ports are connected, among them those to the circuit's own ``inputs`` and ``outputs``.
        inputs, outputs: names of the circuit's ports, each of the shape of the stage port that it is connected to.
        family: of the queues.

    Raises:
        ValueError: a port that is unknown, connected twice or not at all; payloads of different shapes.
    """

    own_cost = NOTHING

    def __init__(
        self,
        stages: Mapping[str, Component],
        streams: Sequence[Stream],
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
        *,
        family: Family = GENERIC,
    ):
        self.stages, self.streams = dict(stages), tuple(streams)
        self._check(inputs, outputs)
        self.queues = {
            (stream.name, sink): Fifo(self._payload(stream), stream.depth(sink), family=family)
            for stream in self.streams
            for sink in range(len(stream.sinks))
            if stream.depth(sink)
        }
        members = {}
        for stream in self.streams:
            if not stream.source.stage:
                members[stream.source.port] = In(Signature(self._payload(stream)))
            for sink in stream.sinks:
                if not sink.stage:
                    members[sink.port] = Out(Signature(self._payload(stream)))
        super().__init__({name: members[name] for name in (*inputs, *outputs)})

    def _check(self, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        wanted = {
            Port(name, port)
            for name, stage in self.stages.items()
            for port, member in stage.signature.members.items()
            if member.is_signature and isinstance(member.signature, Signature)
        } | {Port("", name) for name in (*inputs, *outputs)}
        used: set[Port] = set()
        for stream in self.streams:
            for port in (stream.source, *stream.sinks):
                if port not in wanted:
                    raise ValueError(f"the stream {stream.name} goes to {port}, which is no stream port here")
                if port in used:
                    raise ValueError(f"{port} is connected twice, the second time by the stream {stream.name}")
                used.add(port)
        if wanted - used:
            raise ValueError("not connected: " + ", ".join(sorted(map(str, wanted - used))))

    def _payload(self, stream: Stream):
        """The payload's shape, as a stage at either end declares it."""
        for port in (stream.source, *stream.sinks):
            if port.stage:
                return self.stages[port.stage].signature.members[port.port].signature.members["payload"].shape
        raise ValueError(f"the stream {stream.name} touches no stage")

    @property
    def multipliers(self) -> int:
        return sum(getattr(stage, "multipliers", 0) for stage in self.stages.values())

    @property
    def memory_bits(self) -> int:
        parts = (*self.stages.values(), *self.queues.values())
        return sum(getattr(part, "memory_bits", 0) for part in parts)

    def elaborate(self, platform) -> Module:
        m = Module()
        self._ends: dict[str, Component] = {}
        for name, stage in self.stages.items():
            m.submodules[name] = self._ends[name] = separate(stage, name)
        for stream in self.streams:
            self._wire(m, stream)
        return m

    def _end(self, port: Port) -> Interface:
        if port.stage:
            return getattr(self._ends[port.stage], port.port)
        return flipped(getattr(self, port.port))

    def _wire(self, m: Module, stream: Stream) -> None:
        source = self._end(stream.source)
        branches = [source]
        if len(stream.sinks) > 1:
            fork = Fork(self._payload(stream), len(stream.sinks))
            m.submodules[f"{stream.name}_fork"] = fork
            connect_streams(m, source, fork.i, stream.name)
            branches = [getattr(fork, f"o{index}") for index in range(len(stream.sinks))]
        for index, (branch, sink) in enumerate(zip(branches, stream.sinks, strict=True)):
            queue = self.queues.get((stream.name, index))
            if queue is not None:
                suffix = f"_{index}" if len(stream.sinks) > 1 else ""
                m.submodules[f"{stream.name}_fifo{suffix}"] = queue
                connect_streams(m, branch, queue.i, stream.name)
                branch = queue.o
            connect_streams(m, branch, self._end(sink), stream.name)
