"""The synthesised netlist against the golden model: what Yosys made of a design, simulated cell by cell.

The cells' simulation models are those that come with Yosys; where it has none they are ours, in the family's
``cells_sim.v``.
"""

from __future__ import annotations

from collections.abc import Sequence

from mbconv.generators.emission.design import Design
from mbconv.sim.simulation.packets import Frame, design_source
from mbconv.sim.simulation.run_design import DesignSource, Progress
from mbconv.sim.simulation.simulate_emitted import simulate_source
from mbconv.sim.simulation.simulation_result import SimulationResult

from ..family import Part
from .synthesis import Netlist


def netlist_source(design: Design, netlist: Netlist, part: Part) -> DesignSource:
    """A synthesised design with its cells' models, ready to be simulated; its memories' contents are in the cells."""
    sources = {**part.family.models(), "netlist.v": netlist.verilog.read_text()}
    return design_source(design, sources, {}, netlist.top)


def check_netlist(
    design: Design, netlist: Netlist, part: Part, frames: Sequence[Frame], *, progress: Progress | None = None
) -> SimulationResult:
    """Simulate a netlist, frames back to back without stalls, and compare its outputs with the golden model.

    Args:
        design: that was synthesised, with all of its AXI4-Stream edges.
        frames: the values of the design's inputs.

    Raises:
        GraphError: the outputs stopped, or their marks are wrong.
        SimulatorError: the simulator is missing, refuses the netlist, or failed.
    """
    return simulate_source(design, netlist_source(design, netlist, part), frames, progress=progress)
