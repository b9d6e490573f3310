"""What a plan is for: a number of multipliers, frames per second at a clock, a board, a lone frame's latency."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ..graph.graph import GraphError
from ..graph.shown import counted
from ..stages.network import Network
from .device import Board, Device
from .latency_plan import plan_for_latency
from .plan import Plan
from .planner import plan_for_interval, plan_for_multipliers, slowest_interval
from .search import find_least

DEFAULT_MULTIPLIERS = 64

RANGES = {
    "multipliers": (1, 1_000_000),
    "fps": (Fraction(1, 1_000_000), 1_000_000_000),
    "clock_mhz": (Fraction(1, 1000), 100_000),
    "interval": (1, 1 << 48),
}
"""What a target's numbers may be, both ends included: more than any FPGA gives, less than any count overflows at."""


@dataclass(frozen=True)
class Target:
    """One of: ``multipliers``; ``fps`` and ``clock_mhz``; ``board``; ``interval``, cycles a frame.

    With ``latency`` that of a lone frame is to be the least within the multipliers or the board, and a rate or an
    interval may be given beside them, which the plan keeps.

    Raises:
        GraphError: none of them or several, or a number that is not positive.
    """

    multipliers: int | None = None
    fps: Fraction | None = None
    clock_mhz: Fraction | None = None
    board: Board | None = None
    interval: int | None = None
    latency: bool = False

    def __post_init__(self) -> None:
        if (self.fps is None) != (self.clock_mhz is None):
            raise GraphError("frames per second and the clock's megahertz go together: give both")
        room, pace = [self.multipliers, self.board], [self.fps, self.interval]
        given = [sum(value is not None for value in values) for values in (room, pace)]
        if self.latency and not (given[0] == 1 and given[1] <= 1):
            raise GraphError(
                "the latency of a lone frame is planned within a number of multipliers or for a board, beside which a "
                "rate or an interval may be given"
            )
        if not self.latency and sum(given) != 1:
            raise GraphError(
                "a target is one of: a number of multipliers; frames per second at a clock; a board; an interval"
            )
        for name in RANGES:
            if getattr(self, name) is not None:
                _check_range(name, getattr(self, name))

    @property
    def budget(self) -> int | None:
        """The multipliers that may be used; None where the rate decides."""
        return self.board.device.multipliers if self.board else self.multipliers

    @property
    def device(self) -> Device | None:
        """The FPGA that circuits are made for: a board's, else none in particular."""
        return self.board.device if self.board else None

    @property
    def interval_limit(self) -> int | None:
        """The cycles that a frame may take, rounded down; None where the multipliers decide."""
        return self.interval if self.fps is None else int(self.clock_mhz * 1_000_000 / self.fps)

    def __str__(self) -> str:
        parts = []
        if self.board is not None:
            parts.append(str(self.board))
        if self.multipliers is not None:
            parts.append(counted(self.multipliers, "multiplier"))
        if self.interval_limit is not None:
            limit = f"at most {counted(self.interval_limit, 'cycle')} a frame"
            rate = "" if self.fps is None else f"{number(self.fps)} fps at {number(self.clock_mhz)} MHz: "
            parts.append(f"{rate}{limit}")
        return f"{'the latency of a lone frame: ' if self.latency else ''}{', '.join(parts)}"


def make_target(
    *,
    multipliers: int | None = None,
    fps: float | str | None = None,
    clock_mhz: float | str | None = None,
    board: Board | None = None,
    interval: int | None = None,
    latency: bool = False,
) -> Target:
    """The target that a user's options name; without any, and for a latency without a board,
    :data:`DEFAULT_MULTIPLIERS`.

    Numbers are taken as they are written in decimal: 0.1 is a tenth.

    Raises:
        GraphError: options that exclude each other, or a number that is none.
    """
    if multipliers is board is None and (latency or fps is clock_mhz is interval is None):
        multipliers = DEFAULT_MULTIPLIERS
    return Target(
        multipliers,
        _fraction("frames per second", fps),
        _fraction("clock", clock_mhz),
        board,
        interval,
        latency,
    )


def check_clock(mhz: float | str) -> None:
    """Check a clock that is given without a rate.

    Raises:
        GraphError: it is no number, or none that a target may have.
    """
    _check_range("clock_mhz", _fraction("clock", mhz))


def _check_range(name: str, value: int | Fraction) -> None:
    least, most = RANGES[name]
    if not least <= value <= most:
        what = {"fps": "frames per second", "clock_mhz": "megahertz of the clock", "interval": "cycles a frame"}
        raise GraphError(
            f"a target's {what.get(name, name)} must be from {float(least):g} to {most:,}, not {_shown(value)}"
        )


def _fraction(name: str, value: float | str | None) -> Fraction | None:
    if value is None:
        return None
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise GraphError(f"the {name} must be a number, not {value}") from None


def _shown(value: int | Fraction) -> str:
    """A number that may be too large for a float."""
    return f"{value}" if isinstance(value, int) else f"{Decimal(value.numerator) / value.denominator:.6g}"


def number(value: Fraction) -> str:
    """A number as a person writes it: at most four digits after the point, of a fraction its first four."""
    if 0 < value < 1:
        return f"{float(value):.4g}"
    return f"{float(value):,.4f}".rstrip("0").rstrip(".")


def plan_for_rate(network: Network, target: Target, sharing: bool = True) -> Plan:
    """The plan of fewest multipliers within the target's cycles a frame; ``sharing``: pixels may share groups.

    Raises:
        GraphError: no circuit is as fast, with the stream that binds and the nearest rate.
    """
    limit = target.interval_limit
    least, reason = least_interval(network)
    plan = plan_for_interval(network, limit, sharing) if limit >= least else None
    if plan is None:
        asked = f"{counted(limit, 'cycle')} a frame" if target.fps is None else f"{target}"
        raise GraphError(f"{asked} cannot be met: {reason}; {_nearest_rate(target, least)}")
    return plan


def plan_for_target(network: Network, target: Target, device: Device | None = None) -> Plan:
    """The plan for multipliers or a rate. For a board its multipliers alone are looked at here:
    :func:`~mbconv.generators.planning.board_plan.design_for_target` looks at the rest.

    Args:
        device: the FPGA that the design is for, if any: it is short of LUTs and block RAM, so that pixels share no
            groups of outputs.

    Raises:
        GraphError: the target cannot be met; the message says why and names the nearest that can.
    """
    if target.latency:
        return plan_for_latency(network, target.budget, target.interval_limit, device)
    if target.interval_limit is not None:
        return plan_for_rate(network, target, device is None)
    return plan_for_multipliers(network, target.budget, device is None)


def least_interval(network: Network) -> tuple[int, str]:
    """The least interval that any foldings and lanes give, and what binds: in words that follow "because".

    A stream carries one pixel a cycle at most, and that can always be reached, since streams with a lane for each
    channel let every stage be as wide as it needs.
    """
    tensor = max(network.shapes, key=lambda t: network.shapes[t].pixels)
    shape = network.shapes[tensor]
    if plan_for_interval(network, shape.pixels) is None:

        def attempt(interval: int) -> tuple[int, int] | None:
            plan = plan_for_interval(network, interval)
            return None if plan is None else (plan.interval, plan.interval)

        found = find_least(shape.pixels, slowest_interval(network), attempt, shape.pixels)
        assert found is not None
        return found, f"the least interval of any folding is {counted(found, 'cycle')}"
    where = "input" if tensor in network.inputs.values() else "stream"
    return shape.pixels, (
        f"the {where} of tensor {tensor} ({shape.height}×{shape.width}×{shape.channels}) takes a cycle for each of its "
        f"{counted(shape.pixels, 'pixel')}"
    )


def _nearest_rate(target: Target, least: int) -> str:
    if target.fps is None:
        return f"the nearest interval is {least:,}"
    fps, clock = target.clock_mhz * 1_000_000 / least, target.fps * least / 1_000_000
    return (
        f"nearest: {_down(fps)} fps at {number(target.clock_mhz)} MHz, or {_up(clock)} MHz for {number(target.fps)} fps"
    )


def _down(value: Fraction) -> str:
    """Rounded so that a target of this value can be met."""
    step = _step(value)
    return number(value // step * step)


def _up(value: Fraction) -> str:
    step = _step(value)
    return number(-(-value // step) * step)


def _step(value: Fraction) -> Fraction:
    """What a positive number is rounded to: thousandths, or less where they would leave nothing of it."""
    step = Fraction(1, 1000)
    while value < 1000 * step and value < 1:
        step /= 10
    return step
