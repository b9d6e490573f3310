"""The AXI4-Stream edges of a planned network, and their event models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mbconv.hdl.axi_stream import data_bytes_for, element_bytes
from mbconv.hdl.axi_stream_input import AxiStreamInput
from mbconv.hdl.axi_stream_output import AxiStreamOutput
from mbconv.hdl.axi_stream_top import AxiStreamEdge

from ..planning.plan import Plan
from ..stages.element_shape import element_shape
from ..stages.network import Network
from ..timing.edge_timing import InputEdgeTiming, OutputEdgeTiming

INPUT, OUTPUT = "s_axis", "m_axis"
"""The AXI4-Stream ports, with the tensor's index where there are several."""


def plan_edges(network: Network, plan: Plan, merged: bool) -> tuple[dict[str, AxiStreamEdge], dict[str, AxiStreamEdge]]:
    """The AXI4-Stream edges, wide enough for the interval (for a lone frame: for their tensors' lanes): each input, and
    all outputs together, drained in turn."""

    def edges(port: str, tensors: Mapping[int, int]) -> dict[str, AxiStreamEdge]:
        return {
            f"t{name}": _edge(network, plan, port if len(tensors) == 1 else f"{port}_t{name}", tensor)
            for name, tensor in tensors.items()
        }

    outputs = edges(OUTPUT, {tensor: tensor for tensor in network.outputs})
    # Where there are more outputs than cycles a host drains them in turn at a pace of its own.
    while len(outputs) < (beats := sum(edge.frame.beats for edge in outputs.values())) and beats > plan.interval:
        outputs = _wider(outputs)
    if merged:
        widest = max(edge.data_bytes for edge in outputs.values())
        outputs = {port: replace(edge, data_bytes=widest) for port, edge in outputs.items()}
    return edges(INPUT, network.inputs), outputs


def _wider(edges: Mapping[str, AxiStreamEdge]) -> dict[str, AxiStreamEdge]:
    """The edges, twice as wide that with the most beats."""
    slowest = max(edges, key=lambda port: edges[port].frame.beats)
    return {**edges, slowest: replace(edges[slowest], data_bytes=2 * edges[slowest].data_bytes)}


def _edge(network: Network, plan: Plan, name: str, tensor: int) -> AxiStreamEdge:
    shape, element = network.shapes[tensor], network.tensor(tensor).element
    circuit_shape = element_shape(element)
    beats = shape.beats(plan.lanes[tensor]) if plan.for_latency else plan.interval
    return AxiStreamEdge(
        name,
        circuit_shape,
        shape.channels,
        shape.pixels,
        plan.lanes[tensor],
        data_bytes_for(shape.pixels * shape.channels, element_bytes(circuit_shape), beats),
        network.tensor(tensor).zero_point,
    )


def edge_timings(network: Network, inputs: Mapping, outputs: Mapping) -> dict:
    """The edges' event models, by tensor."""

    def circuit(kind: Callable[..., Any], edge: AxiStreamEdge, *fill: int) -> Any:
        return kind(edge.shape, edge.channels, edge.pixels, edge.lanes, edge.data_bytes, *fill)

    return {
        "input_edges": {
            tensor: InputEdgeTiming.of(circuit(AxiStreamInput, inputs[f"t{port}"], 0))
            for port, tensor in network.inputs.items()
        },
        "output_edges": {
            tensor: OutputEdgeTiming.of(circuit(AxiStreamOutput, outputs[f"t{tensor}"])) for tensor in network.outputs
        },
    }
