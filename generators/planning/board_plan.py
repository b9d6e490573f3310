"""The plan for a board: least interval within its multipliers, block RAMs and LUTs.

A plan's memories depend on everything else that is decided, down to the depths of the queues, so they are those of the
design that is made of it. Longer intervals need fewer LUTs, and by and large fewer block RAMs, though not always: how
well words and depths suit the blocks matters as much. So where the plan with all multipliers does not fit, all plans
are looked at from the shortest interval on (:mod:`~mbconv.generators.planning.nearest_plan`): the first that fits is
the best there is, and if none does, the nearest tells what is short.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil

from mbconv.hdl.cost import Cost, cost

from ..constants.weights import effective_weights, weight_bits
from ..emission.board import linked_cost
from ..emission.design import Design, make_design
from ..graph.graph import Graph, GraphError
from ..graph.shown import counted
from ..stages.network import Network, Node, build_network
from .device import Board, Device
from .latency_plan import plan_for_latency
from .nearest_plan import NearestSearch, list_plans
from .plan import Plan
from .planner import plan_for_interval, plan_for_multipliers, slowest_interval
from .targets import Target
from .use import Use, scarcest, uses


def design_cost(design: Design) -> Cost:
    """The cost of a design with its AXI4-Stream edges."""
    return cost(design.top())


def shortages(design: Design, device: Device, count: Callable[[Design], Cost] = linked_cost) -> list[Use]:
    """The resources that a design needs more of than a device has."""
    return [use for use in uses(count(design), device) if not use.fits]


def design_for_target(graph: Graph, target: Target, others: Sequence[Board] = ()) -> Design:
    """The design for a board that a target names: of least interval, or of least latency of a lone frame.

    Raises:
        GraphError: as :func:`design_for_board`, or the target's rate cannot be kept.
    """
    assert target.board is not None
    fastest = design_for_board(graph, target.board, others)
    if not target.latency:
        return fastest
    return _design_for_latency(graph, target.board, target.interval_limit, fastest)


def _design_for_latency(graph: Graph, board: Board, limit: int | None, fastest: Design) -> Design:
    """The design for a lone frame with as many multipliers as fit.

    Memories and LUTs hardly shrink in steps of one multiplier, so fewer are tried in strides that the scarcest resource
    suggests, down to those of the fastest design.

    Args:
        limit: the interval that it must keep.
        fastest: the design of least interval that fits.

    Raises:
        GraphError: it keeps no such interval, or none was found.
    """
    network, device = fastest.network, board.device
    if limit is not None and fastest.plan.interval > limit:
        raise GraphError(
            f"{board} cannot keep {limit:,} cycles a frame: the least interval that fits is {fastest.plan.interval:,}"
        )
    budget = device.multipliers
    while True:
        plan = replace(plan_for_latency(network, budget, limit, device), budget=device.multipliers)
        design = make_design(graph, plan=plan, device=device)
        times = scarcest(uses(linked_cost(design), device))
        if times <= 1:
            return design
        least = fastest.plan.multipliers
        if plan.multipliers <= least:
            raise GraphError(
                f"no plan for a lone frame was found that fits {board}; give fewer --multipliers than {least} in place "
                "of the board, or leave out --target latency"
            )
        budget = max(least, min(plan.multipliers - 1, max(int(plan.multipliers / times), plan.multipliers * 3 // 4)))


def design_for_board(
    graph: Graph, board: Board, others: Sequence[Board] = (), count: Callable[[Design], Cost] = linked_cost
) -> Design:
    """The design of least interval that fits a board.

    Args:
        others: boards of which a refusal names those that are large enough.
        count: what a design takes: with the board's link, or :func:`design_cost` without.

    Raises:
        GraphError: not even the slowest design does; the message says what binds and names boards that hold it.
    """
    network, device = build_network(graph), board.device
    _check_weights(network, board, others)
    stages = len(network.folded)
    if stages > device.multipliers:
        smallest = make_design(graph, plan=_within(network, slowest_interval(network), board), device=device)
        raise GraphError(
            f"{network.graph.name} needs at least {counted(stages, 'multiplier')}, one for each stage that "
            f"multiplies, more than {board} has; {_large_enough(smallest, others)}"
        )

    def make(plan: Plan) -> Design:
        return make_design(graph, plan=plan, device=device)

    search = NearestSearch(network, device, make, count)
    plan = plan_for_multipliers(network, device.multipliers, sharing=False)
    if not search.impossible(plan) and not shortages(fastest := make(plan), device, count):
        return fastest
    listed = list_plans(network, plan.interval, device.multipliers)
    found = search.fastest(listed)
    if found is not None:
        return found
    raise GraphError(_too_small(search, listed, board, others))


def _check_weights(network: Network, board: Board, others: Sequence[Board]) -> None:
    """Refuse at once what no plan can make fit: weights alone larger than all memory.

    Raises:
        GraphError: they are.
    """
    needed = sum(weights.size * weight_bits(weights) for weights in map(effective_weights, _folded(network)))
    available = _constant_bits(board.device)
    if needed > available:
        names = [other.name for other in others if needed <= _constant_bits(other.device)]
        where = f"boards with memory for them: {', '.join(names)}" if names else "no board of the table has it"
        raise GraphError(
            f"{board} is too small for {network.graph.name}: its weights alone are {ceil(needed / 8):,} bytes, and its "
            f"memory has room for {available // 8:,}; {where}"
        )


def _folded(network: Network) -> list[Node]:
    return [node for node, _ in network.folded]


def _constant_bits(device: Device) -> int:
    """Bits of constants that a device's block RAMs and LUTs hold at most."""
    block = max(width * depth for width, depth in device.block_ram.shapes)
    return device.block_rams * block + device.fillable_luts * 16


def _too_small(search: NearestSearch, plans: Sequence[Plan], board: Board, others: Sequence[Board]) -> str:
    """What is short: of the nearest plan, or where all are excluded by their stages alone, of those."""
    name = search.network.graph.name
    if not all(map(search.impossible, plans)):
        nearest = search.nearest(plans)
        lacking = shortages(nearest, board.device, search.count)
        which, without = f"even the nearest of all its plans, {_shown(nearest.plan)}, needs ", ""
    else:  # without a design of each: what they lack is certain
        plan = min(plans, key=lambda plan: (search.stages_bound(plan), plan.interval))
        nearest = make_design(search.network.graph, plan=plan, device=board.device)
        lacking = [use for use in search.stages_uses(plan) if not use.fits]
        which, without = f"the nearest of all its plans, {_shown(plan)}, needs at least ", " even without queues"
    needed = " and ".join(map(str, lacking))
    return f"{board} is too small for {name}: {which}{needed}{without}; {_large_enough(nearest, others)}"


def _shown(plan: Plan) -> str:
    return f"{counted(plan.interval, 'cycle')} a frame with {counted(plan.multipliers, 'multiplier')}"


def _within(network: Network, interval: int, board: Board) -> Plan:
    """The plan of fewest multipliers for an interval, with the board's as the budget."""
    plan = plan_for_interval(network, interval, sharing=False)
    return Plan(plan.foldings, plan.lanes, plan.interval, board.device.multipliers)


def check_board(design: Design, board: Board) -> None:
    """Check that a design whose plan was given fits a board.

    Raises:
        GraphError: it does not; with what it lacks, and the largest plan that fits.
    """
    lacking = shortages(design, board.device)
    if not lacking:
        return
    best = design_for_board(design.graph, board)
    raise GraphError(
        f"this plan does not fit {board}: it needs {' and '.join(map(str, lacking))}; the nearest plan that fits has "
        f"{counted(best.plan.multipliers, 'multiplier')} and {counted(best.plan.interval, 'cycle')} a frame "
        f"(--board {board.name})"
    )


def _large_enough(design: Design, boards: Sequence[Board]) -> str:
    """Those of the boards that hold a design."""
    found = linked_cost(design)
    names = [board.name for board in boards if all(use.fits for use in uses(found, board.device))]
    return f"boards that are large enough: {', '.join(names)}" if names else "no board of the table is large enough"
