"""Whether foldings and lanes, however they were chosen, make a plan."""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd

from ..graph.graph import GraphError
from ..graph.shown import counted
from ..stages.folded import nearest_text
from ..stages.network import Network
from .folding import Folding
from .lane_groups import LaneGroups
from .plan import Plan
from .plan_cycles import interval_of, stage_cycles
from .targets import Target

_SHOWN = 20


def check_plan(network: Network, foldings: Mapping[int, Folding], lanes: Mapping[int, int], target: Target) -> None:
    """Check a plan against the rules and its target. Foldings and lanes must be those of the network's stages and
    tensors; a board's block RAM and LUTs are not looked at.

    Raises:
        GraphError: lists every stream and stage that breaks a rule, with what would be right; or the target missed.
    """
    problems = lane_problems(network, lanes)
    if not problems:  # a stage is judged by the lanes at its ends, so those come first
        for node, circuit in network.folded:
            folding = foldings[node.operator.index]
            problem = circuit.folding_problem(network, node, folding, lanes[node.inputs[0]], lanes[node.output])
            if problem:
                problems.append(f"{node.name} (operator {node.operator.index}), folding {folding}: {problem}")
    problems = problems or target_problems(network, Plan(dict(foldings), dict(lanes), 0, None), target)
    if len(problems) == 1:
        raise GraphError(problems[0])
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise GraphError("\n  ".join([f"{len(problems)} things are wrong:", *problems[:_SHOWN], *more]))


def lane_problems(network: Network, lanes: Mapping[int, int]) -> list[str]:
    """Streams with more lanes than channels, that do not divide where they must, or differ where they must agree."""
    problems = []
    for tensor, shape in network.shapes.items():
        views = network.views.get(tensor, ())
        what = f"tensor {tensor} {network.tensor(tensor).name!r} has {counted(lanes[tensor], 'lane')}"
        if lanes[tensor] > shape.channels:
            problems.append(f"{what}, more than its {counted(shape.channels, 'channel')}")
        elif gcd(*views) % lanes[tensor]:
            divisors = [count for count in range(1, shape.channels + 1) if gcd(*views) % count == 0]
            problems.append(
                f"{what}, which must divide {' and '.join(map(str, views))}, the channels in which it is written and "
                f"read; {nearest_text(divisors, lanes[tensor])}"
            )
    for members in LaneGroups(network).members.values():
        if len({lanes[tensor] for tensor in members}) > 1:
            counts = ", ".join(f"tensor {tensor}: {lanes[tensor]}" for tensor in members)
            between = [n.name for n in network.nodes if n.output in members and n.circuit.coupled(network, n)]
            problems.append(f"{counts} lanes; {' and '.join(between)} between them need the same number in all")
    return problems


def target_problems(network: Network, plan: Plan, target: Target) -> list[str]:
    """What keeps a plan that breaks no rule from its target."""
    if target.budget is not None and plan.multipliers > target.budget:
        largest = sorted(
            ((plan.foldings[n.operator.index].multipliers, n.name) for n, _ in network.folded), reverse=True
        )
        most = ", ".join(f"{name} {count}" for count, name in largest[:3])
        return [
            f"the foldings take {counted(plan.multipliers, 'multiplier')}, but the target is {target}: fold more "
            f"(the largest are {most}), or change the target"
        ]
    interval = interval_of(network, plan.foldings, plan.lanes)
    if target.interval_limit is not None and interval > target.interval_limit:
        slow = [
            f"{node.name} takes {cycles:,}"
            for node in network.nodes
            if (cycles := stage_cycles(network, node, plan)) > target.interval_limit
        ]
        slow += [
            f"the stream of tensor {tensor} takes {beats:,}"
            for tensor, shape in network.shapes.items()
            if (beats := shape.beats(plan.lanes[tensor])) > target.interval_limit
        ]
        return [f"the target is {target}, but {', '.join(slow)}: fold less or give more lanes, or change the target"]
    return []
