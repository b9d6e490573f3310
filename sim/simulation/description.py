"""What a simulation must know of a design, as its manifest says it: ports, streams, predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from amaranth.hdl import signed, unsigned
from amaranth.lib.data import ArrayLayout

from mbconv.generators.graph.graph import GraphError


@dataclass(frozen=True)
class PortDescription:
    """A tensor at an AXI4-Stream port: one frame of it is one packet. Merged outputs have one port, and give a packet
    each in turn.

    Attributes:
        permutation: that brings the tensor's values into the order of the port; None where that is their own.
        pixels, channels: of a frame.
        data_bytes, beats: of TDATA, and of a frame.
    """

    name: str
    source: bool
    tensor: int
    permutation: tuple[int, ...] | None
    pixels: int
    channels: int
    signed: bool
    element_bytes: int
    data_bytes: int
    beats: int


@dataclass(frozen=True)
class StreamDescription:
    """A stream of a tensor within a design.

    Attributes:
        stage: that gives it; ``input`` for a port.
        place: ``instance.….port`` within the top, which has ``__valid``, ``__ready`` and ``__payload``.
        beats: of a frame.
    """

    tensor: int
    stage: str
    place: str
    pixels: int
    width: int
    channels: int
    bits: int
    signed: bool
    lanes: int
    beats: int

    @property
    def name(self) -> str:
        """Of the files that its monitor writes."""
        return f"stream_t{self.tensor}"

    @property
    def layout(self) -> ArrayLayout:
        return ArrayLayout((signed if self.signed else unsigned)(self.bits), self.lanes)


@dataclass(frozen=True, eq=False)
class Description:
    """A design as its manifest describes it.

    Attributes:
        status: output ports that count bad packets, and their bits.
        interval, latency: predicted cycles.
    """

    name: str
    top: str
    ports: tuple[PortDescription, ...]
    status: dict[str, int]
    streams: tuple[StreamDescription, ...]
    interval: int
    latency: int
    frames_to_measure: int
    multipliers: int
    budget: int
    macs: int

    @cached_property
    def inputs(self) -> tuple[PortDescription, ...]:
        return tuple(port for port in self.ports if port.source)

    @cached_property
    def outputs(self) -> tuple[PortDescription, ...]:
        """In the order in which a host drains them."""
        return tuple(port for port in self.ports if not port.source)

    @cached_property
    def packets(self) -> dict[str, tuple[PortDescription, ...]]:
        """By AXI4-Stream that leaves, the tensors of its packets in turn."""
        names = dict.fromkeys(port.name for port in self.outputs)
        return {name: tuple(port for port in self.outputs if port.name == name) for name in names}

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Description:
        """The description that a manifest gives.

        Raises:
            GraphError: the manifest lacks something, or something is no number.
        """
        try:
            return cls(
                str(manifest["model"]),
                str(manifest["top"]),
                tuple(map(_port, manifest["ports"])),
                {str(status["name"]): int(status["bits"]) for status in manifest["status"]},
                tuple(map(_stream, manifest["streams"])),
                *(int(manifest[key]) for key in _NUMBERS),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise GraphError(f"the manifest is not as mbconv emit wrote it ({error!r}): emit again") from None


_NUMBERS = ("interval_cycles", "latency_cycles", "measuring_frames", "multipliers", "budget", "macs")


def _port(port: Mapping[str, Any]) -> PortDescription:
    height, width, channels = map(int, port["order"])
    permutation = port["permutation"]
    return PortDescription(
        name=str(port["name"]),
        source=port["direction"] == "input",
        tensor=int(port["tensor"]),
        permutation=None if permutation is None else tuple(map(int, permutation)),
        pixels=height * width,
        channels=channels,
        signed=bool(port["signed"]),
        element_bytes=int(port["element_bytes"]),
        data_bytes=int(port["data_bytes"]),
        beats=int(port["beats"]),
    )


def _stream(stream: Mapping[str, Any]) -> StreamDescription:
    height, width, channels = map(int, stream["order"])
    return StreamDescription(
        tensor=int(stream["tensor"]),
        stage=str(stream["stage"]),
        place=str(stream["place"]),
        pixels=prod((height, width)),
        width=width,
        channels=channels,
        bits=int(stream["bits"]),
        signed=bool(stream["signed"]),
        lanes=int(stream["lanes"]),
        beats=int(stream["beats"]),
    )
