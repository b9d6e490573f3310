"""The synthesised netlist against the golden model: what Yosys made of a design, simulated cell by cell.

The cells' simulation models are those that come with Yosys; where it has none they are ours, in the family's
``cells_sim.v``.
"""

from __future__ import annotations

from collections.abc import Sequence

from mbconv.generators.emission.bundle import Bundle
from mbconv.generators.graph.graph import Graph
from mbconv.sim.simulation.description import Description
from mbconv.sim.simulation.design_source import DesignSource
from mbconv.sim.simulation.packets import Frame, design_source
from mbconv.sim.simulation.run_design import Progress
from mbconv.sim.simulation.simulate import simulate_source
from mbconv.sim.simulation.simulation_result import SimulationResult

from ..family import Part
from .synthesis import Netlist


def netlist_source(description: Description, netlist: Netlist, part: Part) -> DesignSource:
    """A synthesised design with its cells' models, ready to be simulated; its memories' contents are in the cells."""
    sources = {**part.family.models(), "netlist.v": netlist.verilog.read_text()}
    return design_source(description, sources, {})


def check_netlist(
    bundle: Bundle,
    graph: Graph,
    netlist: Netlist,
    part: Part,
    frames: Sequence[Frame],
    *,
    progress: Progress | None = None,
) -> SimulationResult:
    """Simulate a netlist, frames back to back without stalls, and compare its outputs with the golden model.

    Args:
        bundle: that was synthesised, with all of its AXI4-Stream edges.
        graph: that it was made from.
        frames: the values of the design's inputs.

    Raises:
        GraphError: the outputs stopped, or their marks are wrong.
        SimulatorError: the simulator is missing, refuses the netlist, or failed.
    """
    description = Description.of(bundle.manifest)
    return simulate_source(description, netlist_source(description, netlist, part), graph, frames, progress=progress)
