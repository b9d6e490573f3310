"""The library as a user sees it: from a model to a plan, a design, Verilog, a simulation, an implementation.

::

    import mbconv

    graph = mbconv.load("digits")
    design = mbconv.design(graph, mbconv.Target(multipliers=16))
    mbconv.emit(design, "build/digits")
    result = mbconv.simulate(design)
    assert result.ok

Every object prints as one line and, in a notebook, as a table; every result has ``to_dict()``. What cannot be done
raises :class:`MbconvError` with a message for the user.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mbconv.fpga.boards import boards, find_board
from mbconv.generators.emission.bundle import Bundle, make_bundle
from mbconv.generators.emission.design import Design, make_design
from mbconv.generators.emission.emit import emit as _emit
from mbconv.generators.graph.graph import Graph
from mbconv.generators.graph.graph import GraphError as MbconvError
from mbconv.generators.planning.board_plan import design_for_target
from mbconv.generators.planning.plan import Plan
from mbconv.generators.planning.targets import Target as _Target
from mbconv.generators.planning.targets import make_target, plan_for_target
from mbconv.generators.stages.network import build_network
from mbconv.models import load as _load

if TYPE_CHECKING:
    from mbconv.fpga.flow.build import Implementation
    from mbconv.sim.simulation.simulation_result import SimulationResult

__all__ = ["Bundle", "Design", "Graph", "MbconvError", "Plan", "Target", "build", "design", "emit", "load", "plan",
           "simulate"]  # fmt: skip

Frame = Mapping[int, np.ndarray]
"""The values of a graph's inputs by tensor index."""

# A plan is costed by making circuits; Amaranth takes those that are never turned into Verilog for mistakes.
warnings.filterwarnings("ignore", message=".*created but never used")


def Target(
    *,
    multipliers: int | None = None,
    fps: float | None = None,
    clock_mhz: float | None = None,
    board: str | None = None,
    interval: int | None = None,
    latency: bool = False,
) -> _Target:
    """What a design is planned for; 64 multipliers where nothing is said.

    Args:
        multipliers: the least interval within so many.
        fps, clock_mhz: the fewest multipliers for so many frames per second at this clock.
        board: the least interval that fits; ``mbconv boards`` lists the names.
        interval: the fewest multipliers for so many cycles a frame.
        latency: the least latency of a lone frame within the multipliers or the board; a rate or an interval given
            beside them is kept.

    Raises:
        MbconvError: contradictions, numbers out of range, an unknown board.
    """
    found = None if board is None else find_board(board)
    return make_target(
        multipliers=multipliers, fps=fps, clock_mhz=clock_mhz, board=found, interval=interval, latency=latency
    )


def load(model: str | PathLike[str], layers: tuple[int, int] | None = None) -> Graph:
    """A network: a built-in model's name, ``block:…``, or the path of a ``.tflite`` file.

    Args:
        layers: only the operators from the first to, not including, the second.

    Raises:
        MbconvError: there is no such model, or it cannot be used.
    """
    return _load(str(model), layers)


def plan(graph: Graph, target: _Target | None = None) -> Plan:
    """Foldings and lanes for a target.

    Raises:
        MbconvError: an operator without a circuit, or a target that cannot be met.
    """
    wanted = make_target() if target is None else target
    if wanted.board is not None:
        return design_for_target(graph, wanted, boards()).plan
    return plan_for_target(build_network(graph), wanted)


def design(graph: Graph, target: _Target | Plan | None = None, *, merge_outputs: bool = False) -> Design:
    """The circuit of a network, folded, sized and scheduled, for a target or in a plan.

    Args:
        merge_outputs: several outputs leave by one AXI4-Stream, a packet of each in turn.

    Raises:
        MbconvError: as :func:`plan`, or no exact requantisation.
    """
    if isinstance(target, Plan):
        return make_design(graph, plan=target, merge_outputs=merge_outputs)
    wanted = make_target() if target is None else target
    return make_design(graph, plan=plan(graph, wanted), device=wanted.device, merge_outputs=merge_outputs)


def emit(design: Design, directory: str | PathLike[str], *, prefix: str = "", overwrite: bool = False) -> Bundle:
    """Write a design's Verilog, memory files, manifest, summary and FuseSoC core into a folder.

    Args:
        prefix: begins every module's and every file's name.
        overwrite: replace files in the way that are not mbconv's, or were changed since.

    Raises:
        MbconvError: the folder cannot be written, or a file that is not mbconv's is in the way.
    """
    bundle = make_bundle(design, prefix)
    manifest = _emit(bundle, Path(directory), overwrite=overwrite)
    return Bundle(bundle.top, bundle.verilog, bundle.memory_files, manifest, bundle.made)


def simulate(
    design: Design | str | PathLike[str],
    frames: Sequence[Frame] | None = None,
    *,
    seed: int = 0,
    waves: str | PathLike[str] | None = None,
    wave_stages: Sequence[str] = (),
    wave_cycles: tuple[int, int] | None = None,
) -> SimulationResult:
    """Simulate a design in Verilator, frames back to back, and compare every stream with the golden model.

    Args:
        design: or the folder that ``mbconv emit`` wrote.
        frames: random ones unless given, as many as show the steady interval.
        seed: of the random frames.
        waves: a file of waveforms to write, FST if its name ends so, else VCD, with a save file of GTKWave beside it.
        wave_stages: only these stages' signals; names as in the design's manifest, and ``input`` for its inputs' edges.
        wave_cycles: only from this cycle since reset up to, not including, that one.

    Raises:
        MbconvError: the simulator is missing or failed, the simulation stood still, or no such stage or cycle is in it.
    """
    from mbconv.frames import random_frames
    from mbconv.sim.simulation.description import Description
    from mbconv.sim.simulation.gtkwave import write_save_file
    from mbconv.sim.simulation.simulate import simulate_bundle
    from mbconv.sim.simulation.waves import choose_waves

    if isinstance(design, Design):
        bundle, graph = make_bundle(design), design.graph
    else:
        from mbconv.emitted import read_emitted

        found = read_emitted(Path(design))
        bundle, graph = found.bundle, found.part
    if frames is None:
        frames = random_frames(graph, bundle.manifest["measuring_frames"], seed)
    if waves is None:
        if wave_stages or wave_cycles is not None:
            raise MbconvError("wave_stages and wave_cycles choose what waves writes: give waves as well")
        return simulate_bundle(bundle, graph, frames)
    description = Description.of(bundle.manifest)
    chosen = choose_waves(description, Path(waves), len(frames), wave_stages, wave_cycles)
    result = simulate_bundle(bundle, graph, frames, waves=chosen)
    write_save_file(chosen.file, description)
    return result


def build(
    design: Design,
    directory: str | PathLike[str],
    *,
    device: str = "LFE5U-85F",
    package: str | None = None,
    speed: str | None = None,
    target_mhz: float = 150.0,
    seeds: int = 1,
) -> Implementation:
    """Synthesis, place and route of a design out of context, without pins.

    Args:
        directory: for sources, netlist, logs and reports.
        seeds: 1 to 4 runs of place and route, of which the best counts.

    Raises:
        MbconvError: a tool is missing or failed, or the design does not fit.
    """
    from mbconv.fpga.families import find_part
    from mbconv.fpga.flow.build import implement

    part = find_part(device, package, speed)
    bundle = make_bundle(design)
    assert bundle.made is not None
    return implement(bundle.made, "aclk", Path(directory), part, seeds=seeds, target_mhz=target_mhz)
