"""A design: every node of a network as a circuit, the queues between them, and the AXI4-Stream edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mbconv.hdl.axi_stream_top import AxiStreamEdge, AxiStreamTop
from mbconv.hdl.cost import MemoryCost
from mbconv.hdl.family import GENERIC, Family
from mbconv.hdl.processes import shared_out
from mbconv.hdl.stream_graph import Port, Stream, StreamGraph
from mbconv.hdl.verilog import no_garbage_collection

from ..graph.checks import check_graph
from ..graph.graph import Graph, GraphError
from ..graph.shown import Shown
from ..planning.device import Device
from ..planning.dsp_share import share_dsp
from ..planning.plan import Plan
from ..planning.planner import plan_for_multipliers
from ..planning.rom_pieces import with_rom_pieces
from ..stages.network import Network, build_network
from ..stages.protocol import Site
from ..stages.stage import Stage
from ..timing.schedule import Schedule, edges, frames_in_flight, make_schedule
from .plan_edges import OUTPUT, edge_timings, plan_edges


@dataclass(frozen=True, eq=False, repr=False)
class Design(Shown):
    """A network folded, sized and ready to be emitted or simulated.

    Attributes:
        stages: in the order of the network.
        schedule: interval, latency, queue depths and window capacities.
        inputs, outputs: the AXI4-Stream edge of each port of the core; ``t<index>`` is the tensor's port. Outputs
            stand in the order in which a host drains them.
        family: of FPGAs that it is made for.
        device: the FPGA whose DSP blocks the stages share; None: nobody counts them.
        merged: the AXI4-Stream that all outputs leave by, a packet of each in turn; None: each by its own.
    """

    graph: Graph
    network: Network
    plan: Plan
    stages: tuple[Stage, ...]
    schedule: Schedule
    inputs: dict[str, AxiStreamEdge]
    outputs: dict[str, AxiStreamEdge]
    family: Family = GENERIC
    device: Device | None = None
    merged: str | None = None

    def shown(self) -> dict[str, object]:
        return {
            "of": self.name,
            "stages": len(self.stages),
            "multipliers": self.multipliers,
            "interval": self.schedule.interval,
            "latency": self.schedule.latency,
            "memory bits": self.memory_bits,
        }

    def to_dict(self) -> dict[str, Any]:
        """What the manifest says of the design."""
        from .manifest import manifest

        return manifest(self)

    @property
    def name(self) -> str:
        return self.graph.name

    @property
    def macs(self) -> int:
        return sum(self.network.macs(node) for node in self.network.nodes)

    @property
    def multipliers(self) -> int:
        """Multipliers of the MAC arrays."""
        return sum(stage.multipliers for stage in self.stages)

    @property
    def budget(self) -> int:
        """The multipliers of the target; those used where the target is a rate."""
        return self.plan.budget or self.multipliers

    @property
    def mac_efficiency(self) -> float | None:
        """Of the budget: MACs ÷ (budget × interval); None where there is no multiplier."""
        return self.macs / (self.budget * self.schedule.interval) if self.budget else None

    @property
    def mac_efficiency_used(self) -> float | None:
        """Of the multipliers built; None where there is none."""
        return self.macs / (self.multipliers * self.schedule.interval) if self.multipliers else None

    @cached_property
    def queue_bits(self) -> int:
        """Bits of the queues between stages and on residual paths."""
        return sum(
            depth * self.network.tensor(edge[0]).element.bits * self.plan.lanes[edge[0]]
            for edge, depth in self.schedule.depths.items()
        )

    @property
    def output_queue_bits(self) -> int:
        """Bits of what waits at several outputs while a host drains others."""
        if len(self.outputs) == 1:
            return 0
        return sum(edge.queue_depth * (8 * edge.data_bytes + 2) for edge in self.outputs.values())

    @property
    def memory_bits(self) -> int:
        return sum(stage.memory_bits for stage in self.stages) + self.queue_bits + self.output_queue_bits

    @property
    def frames_in_flight(self) -> int:
        """Frames begun and not finished at once, at most, where a host drains several outputs in turn."""
        return frames_in_flight(max(self.schedule.latency, self.schedule.drain.latency), self.schedule.interval)

    def core(self) -> StreamGraph:
        """The stages between plain streams of tensors."""
        stages = {stage.name: stage.component for stage in self.stages}
        streams = [self._stream(tensor) for tensor in self.network.shapes]
        for stage in self.stages:
            for port, rom in stage.rom_sources(self.family).items():
                name = f"{stage.name}_{port}"
                stages[f"{name}_rom"] = rom
                streams.append(Stream(name, Port(f"{name}_rom", "o"), (Port(stage.name, port),)))
        return StreamGraph(stages, streams, list(self.inputs), list(self.outputs), family=self.family)

    def top(self) -> AxiStreamTop:
        """The whole with its AXI4-Stream edges."""
        edges = self.inputs, self.outputs
        return AxiStreamTop(self.core(), *edges, self.frames_in_flight, self.merged, family=self.family)

    def _stream(self, tensor: int) -> Stream:
        """The stream of a tensor, from its producer or port to all its readers."""
        producer = next((stage for stage in self.stages if stage.node.output == tensor), None)
        if producer is None:
            port = next(name for name, source in self.network.inputs.items() if source == tensor)
            source = Port("", f"t{port}")
        else:
            source = Port(producer.name, "o")
        by_name = {stage.name: stage for stage in self.stages}
        readers = edges(self.network)[tensor]
        sinks = tuple(
            Port(name, by_name[name].inputs[position]) if name else Port("", f"t{tensor}")
            for _, name, position in readers
        )
        return Stream(f"t{tensor}", source, sinks, tuple(self.schedule.depths[edge] for edge in readers))


def shared_stages(stages: Mapping[str, Stage], device: Device) -> dict[str, Stage]:
    """Stages that share the DSP blocks of a device."""
    shares = share_dsp({name: stage.mac for name, stage in stages.items() if stage.mac is not None}, device)
    return {
        name: stage.with_dsp(shares[name]) if name in shares and stage.with_dsp else stage
        for name, stage in stages.items()
    }


_WORTH_A_PROCESS = 12  # stages whose constants take longer to find than a process to start


@no_garbage_collection()
def make_design(
    graph: Graph,
    multipliers: int | None = None,
    plan: Plan | None = None,
    family: Family = GENERIC,
    device: Device | None = None,
    merge_outputs: bool = False,
) -> Design:
    """Everything from a graph to circuits: network, plan (unless given), constants, schedule, edges.

    Args:
        multipliers: the budget of the plan, where none is given; 64 by default.
        family: of FPGAs whose memories and multipliers the circuits are made for.
        device: the FPGA that they are made for, where it is known, of that family: the stages share its DSP blocks.
        merge_outputs: several outputs leave by one AXI4-Stream, a packet of each in turn.

    Raises:
        GraphError: the graph is not valid, both a plan and multipliers are given, an operator without a circuit,
            a budget too small, or no exact requantisation.
    """
    if plan is not None and multipliers is not None:
        raise GraphError("a plan holds its own multipliers: give either of them")
    check_graph(graph)
    network = build_network(graph)
    family = family if device is None else device.circuits
    if plan is None:
        plan = plan_for_multipliers(network, 64 if multipliers is None else multipliers, sharing=device is None)
    sites = [Site(network, node, plan, family) for node in network.nodes]
    constants = shared_out(lambda site: site.constants, sites, _WORTH_A_PROCESS)
    stages: dict[str, Stage] = {
        site.node.name: site.node.circuit.build(replace(site, known=found))
        for site, found in zip(sites, constants, strict=True)
    }
    if device is not None:
        stages = shared_stages(stages, device)
    merged = OUTPUT if merge_outputs and len(network.outputs) > 1 else None
    inputs, outputs = plan_edges(network, plan, merged is not None)

    def window_capacity(name: str, pixels: int) -> int:
        window = stages[name].window
        if window is None:
            raise ValueError(f"{name} has no window to be sized")
        return window.capacity(pixels)

    schedule = make_schedule(
        network,
        plan.lanes,
        {name: stage.timing for name, stage in stages.items()},
        plan.interval,
        family.queue_latency,
        window_capacity,
        **edge_timings(network, inputs, outputs),
        merged=merged is not None,
    )
    drain = schedule.drain
    outputs = {f"t{t}": replace(outputs[f"t{t}"], queue_depth=drain.depths[t]) for t in drain.order}
    for name, capacity in schedule.capacities.items():
        stages[name] = stages[name].with_capacity(capacity)
    if device is not None:
        queues = [
            MemoryCost(network.tensor(tensor).element.bits * plan.lanes[tensor], depth)
            for (tensor, *_), depth in schedule.depths.items()
            if family.queue_in_block_ram(depth)
        ]
        queues += [
            MemoryCost(8 * edge.data_bytes + 2, edge.queue_depth)
            for edge in outputs.values()
            if family.queue_in_block_ram(edge.queue_depth)
        ]
        stages = with_rom_pieces(stages, queues, device)
    return Design(graph, network, plan, tuple(stages.values()), schedule, inputs, outputs, family, device, merged)
