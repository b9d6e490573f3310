"""What a plan costs, and where each lost percent of its multipliers goes.

A multiplier could give a product in every cycle: a frame has budget × interval of them to give, the *slots*. Those that
give none of the network's products (``macs``) are lost, each for exactly one reason:

rounding
    of a stage while it works: channels or taps that its folding does not divide, or a window that gives fewer than the
    stage could take;
waiting
    of a stage for the bottleneck: the cycles that it has to spare in each interval;
unused
    multipliers of the budget that no stage has.

So the efficiency and all losses sum to 100 %, in whole slots and without rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..stages.network import Network
from .folding import Folding
from .plan import Plan
from .plan_cycles import stage_cycles

if TYPE_CHECKING:
    from ..emission.design import Design


@dataclass(frozen=True)
class StageReport:
    """A stage's costs for a frame.

    Attributes:
        folding: None for a stage without multipliers.
        lanes_in, lanes_out: of its first input and its output.
        cycles: that it works; no more than the interval.
        macs: products that the network needs of it.
        memory_bits: of the stage itself, its weights and the queues at its inputs; None where no circuit was made.
        rounding, waiting: slots lost.
    """

    name: str
    operator: int
    kind: str
    folding: Folding | None
    lanes_in: int
    lanes_out: int
    cycles: int
    multipliers: int
    macs: int
    memory_bits: int | None
    rounding: int
    waiting: int

    @property
    def utilisation(self) -> float | None:
        """Products per slot of this stage; None without multipliers."""
        slots = self.macs + self.rounding + self.waiting
        return self.macs / slots if slots else None


@dataclass(frozen=True)
class Loss:
    """Slots lost by one stage for one reason; ``stage`` is empty for the unused multipliers."""

    stage: str
    reason: str
    slots: int


@dataclass(frozen=True)
class PlanReport:
    """A plan's costs. ``budget`` is None where the target was a rate; efficiency is then that of the multipliers used.

    ``bottleneck`` names the stages and streams that take the whole interval.
    """

    stages: tuple[StageReport, ...]
    interval: int
    budget: int | None
    bottleneck: tuple[str, ...]
    latency: int | None = None
    memory_bits: int | None = None

    @property
    def multipliers(self) -> int:
        return sum(stage.multipliers for stage in self.stages)

    @property
    def macs(self) -> int:
        return sum(stage.macs for stage in self.stages)

    @property
    def slots(self) -> int:
        """Products that the budget's multipliers could give in an interval."""
        return (self.multipliers if self.budget is None else self.budget) * self.interval

    @property
    def efficiency(self) -> Fraction:
        """MACs ÷ (budget × interval)."""
        return Fraction(self.macs, self.slots or 1)

    @property
    def efficiency_used(self) -> Fraction:
        """MACs ÷ (multipliers used × interval)."""
        return Fraction(self.macs, self.multipliers * self.interval or 1)

    @property
    def losses(self) -> tuple[Loss, ...]:
        """Every loss, the greatest first."""
        found = [Loss(stage.name, "rounding", stage.rounding) for stage in self.stages]
        found += [Loss(stage.name, "waiting", stage.waiting) for stage in self.stages]
        found.append(Loss("", "unused", self.slots - self.multipliers * self.interval))
        return tuple(sorted((loss for loss in found if loss.slots), key=lambda loss: -loss.slots))

    def share(self, loss: Loss) -> Fraction:
        """A loss as a part of all slots."""
        return Fraction(loss.slots, self.slots)

    def as_dict(self) -> dict[str, Any]:
        """What ``mbconv plan --json`` prints of it: plain numbers and text."""
        return {
            "interval_cycles": self.interval,
            "latency_cycles": self.latency,
            "multipliers": self.multipliers,
            "budget": self.budget,
            "macs": self.macs,
            "mac_efficiency": float(self.efficiency),
            "mac_efficiency_used": float(self.efficiency_used),
            "memory_bits": self.memory_bits,
            "bottleneck": list(self.bottleneck),
            "stages": [_stage(stage) for stage in self.stages],
            "losses": [
                {"stage": loss.stage or None, "reason": loss.reason, "slots": loss.slots, "share": float(share)}
                for loss, share in ((loss, self.share(loss)) for loss in self.losses)
            ],
        }


def _stage(stage: StageReport) -> dict[str, Any]:
    folding = stage.folding
    return {
        "name": stage.name,
        "operator": stage.operator,
        "kind": stage.kind,
        "folding": None if folding is None else folding.fields(),
        "lanes_in": stage.lanes_in,
        "lanes_out": stage.lanes_out,
        "cycles": stage.cycles,
        "multipliers": stage.multipliers,
        "macs": stage.macs,
        "utilisation": stage.utilisation,
        "memory_bits": stage.memory_bits,
    }


def report_plan(
    network: Network,
    plan: Plan,
    *,
    stage_memory: Mapping[str, int] | None = None,
    memory_bits: int | None = None,
    latency: int | None = None,
) -> PlanReport:
    """The costs of a plan.

    Args:
        stage_memory: memory bits by stage name, as far as they belong to one.
        memory_bits: of the whole design.
        latency: cycles from the first beat in to the last beat out of a frame.
    """
    stages = []
    for node in network.nodes:
        folding = plan.folding(node)
        count = 0 if folding is None else folding.multipliers
        cycles, macs = stage_cycles(network, node, plan), network.macs(node)
        stages.append(
            StageReport(
                name=node.name,
                operator=node.operator.index,
                kind=node.kind,
                folding=folding,
                lanes_in=plan.lanes[node.inputs[0]],
                lanes_out=plan.lanes[node.output],
                cycles=cycles,
                multipliers=count,
                macs=macs,
                memory_bits=None if stage_memory is None else stage_memory.get(node.name, 0),
                rounding=count * cycles - macs,
                waiting=count * (plan.interval - cycles),
            )
        )
    slowest = [stage.name for stage in stages if stage.cycles == plan.interval]
    slowest += [
        f"stream of tensor {tensor}"
        for tensor, shape in sorted(network.shapes.items())
        if shape.beats(plan.lanes[tensor]) == plan.interval
    ]
    return PlanReport(tuple(stages), plan.interval, plan.budget, tuple(slowest), latency, memory_bits)


def report_design(design: Design) -> PlanReport:
    """The costs of a design; the memory of a queue counts for the stage that reads it."""
    memory = {stage.name: stage.memory_bits for stage in design.stages}
    for (tensor, reader, _), depth in design.schedule.depths.items():
        if reader:
            memory[reader] += depth * design.plan.lanes[tensor] * design.network.tensor(tensor).element.bits
    return report_plan(
        design.network,
        design.plan,
        stage_memory=memory,
        memory_bits=design.memory_bits,
        latency=design.schedule.latency,
    )
